package dev.sluice.jdbc;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/**
 * Has one feed for each table, or one for the query. Each call of `poll` reads at most one batch,
 * from the feed that has been due for the longest time. If no feed is due, the task sleeps only for
 * a short time, so that it reacts to a pause or a stop.
 */
public final class JdbcSourceTask extends SourceTask {
  private static final long LONGEST_SLEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private final List<Feed> feeds = new ArrayList<>();

  @Override
  public void start(Map<String, String> config) {
    Settings settings = new Settings(config);
    for (Feed.Subject subject : Feed.Subject.of(settings)) {
      feeds.add(new Feed(settings, subject, context.offsetStorageReader().offset(subject.partition())));
    }
  }

  @Override
  public List<SourceRecord> poll() throws InterruptedException {
    Feed feed = feeds.stream().min(Comparator.comparingLong(Feed::waitNanos)).orElseThrow();
    long wait = feed.waitNanos();
    if (wait > 0) {
      TimeUnit.NANOSECONDS.sleep(Math.min(wait, LONGEST_SLEEP_NANOS));
      return null;
    }
    try {
      List<SourceRecord> records = feed.read();
      return records.isEmpty() ? null : records;
    } catch (SQLException error) {
      feed.close();
      if (Database.isTransient(error)) throw new RetriableException(error);
      throw new ConnectException(error.getMessage() + " (SQLSTATE " + error.getSQLState() + ")", error);
    }
  }

  @Override
  public void stop() {
    feeds.forEach(Feed::close);
  }

  @Override
  public String version() {
    return "1";
  }
}
