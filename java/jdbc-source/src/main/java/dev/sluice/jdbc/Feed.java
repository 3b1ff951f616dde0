package dev.sluice.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Polls one table or query, remembers its position, and returns rows in batches. Not thread-safe.
 */
final class Feed {
  /**
   * The table or query to read. `partition` is its key in Connect's offsets, in the form that
   * Aiven's and Confluent's JDBC sources use.
   */
  record Subject(String name, String select, String topic, Map<String, String> partition) {
    static List<Subject> of(Settings settings) {
      String prefix = settings.getString(Settings.PREFIX);
      String query = settings.getString(Settings.QUERY);
      if (!query.isBlank()) return List.of(new Subject("the query", query.strip().replaceFirst(";$", ""), prefix, Map.of("query", "query")));
      return settings.getList(Settings.TABLES).stream().map(table -> ofTable(prefix, table)).toList();
    }

    private static Subject ofTable(String prefix, String table) {
      int dot = table.indexOf('.');
      String quoted = dot < 0 ? Database.quoted(table) : Database.quoted(table.substring(0, dot)) + "." + Database.quoted(table.substring(dot + 1));
      return new Subject(table, "SELECT * FROM " + quoted, prefix + table, Map.of("protocol", "1", "table", table));
    }
  }

  private final Settings settings;
  private final Subject subject;
  private final int batch;
  private final Ceilings ceilings = new Ceilings(System::nanoTime);
  private Position position;
  private Connection connection;
  private PollQuery query;
  private ResultSet rows;
  private RowReader reader;
  private Position.Row ahead;
  private Position.Poll poll;
  private long dueNanos = System.nanoTime();

  Feed(Settings settings, Subject subject, Map<String, Object> stored) {
    this.settings = settings;
    this.subject = subject;
    batch = settings.getInt(Settings.BATCH);
    position = Position.of(stored);
    poll = new Position.Poll(position.poll() == null ? 0 : position.poll(), null);
  }

  long waitNanos() {
    return rows != null ? 0 : dueNanos - System.nanoTime();
  }

  /** Returns at most one batch of rows. The list is empty if no row is new or may be read yet. */
  List<SourceRecord> read() throws SQLException {
    if (rows == null && !open()) return List.of();
    List<SourceRecord> records = new ArrayList<>(batch);
    Position reached = position;
    while (ahead != null && records.size() < batch) {
      Position.Row row = ahead;
      ahead = next();
      reached = reached.after(settings.mode(), row, ahead, poll);
      records.add(new SourceRecord(subject.partition(), reached.toOffset(), subject.topic(), row.value().schema(), row.value()));
    }
    if (ahead == null) endPoll();
    position = reached; // last, because a failure above means that these records were not returned
    return records;
  }

  /** Starts a poll. Returns false if it is too early to know which rows may be read. */
  private boolean open() throws SQLException {
    if (connection == null) {
      connection = Database.open(settings);
      query = new PollQuery(settings, subject, Database.describe(connection, subject.select()));
      ceilings.clear();
    }
    long delay = settings.getLong(Settings.DELAY);
    Long highest = null;
    if (settings.mode() == Settings.Mode.INCREMENTING && delay > 0) {
      highest = ceilings.settled(delay, () -> query.highestId(connection));
      connection.commit();
      if (highest == null) {
        later(Math.min(delay, settings.getInt(Settings.POLL)));
        return false;
      }
    }
    Instant latest = settings.mode().byTime ? databaseTime().minusMillis(delay) : null;
    // The statement of the poll begins after this snapshot, so it sees at least what the snapshot
    // sees.
    poll = new Position.Poll(poll.number() + 1, settings.mode() == Settings.Mode.BULK ? text("SELECT pg_current_snapshot()::text") : null);
    rows = query.run(connection, position, latest, highest, batch);
    reader = new RowReader(rows.getMetaData(), subject.topic());
    ahead = next();
    return true;
  }

  /** Returns the time of the database's clock, with which the times of rows are compared. */
  private Instant databaseTime() throws SQLException {
    return PollQuery.parse("clock_timestamp", text("SELECT clock_timestamp()"));
  }

  private String text(String select) throws SQLException {
    try (var statement = connection.createStatement(); var row = statement.executeQuery(select)) {
      row.next();
      return row.getString(1);
    }
  }

  private Position.Row next() throws SQLException {
    return rows.next() ? new Position.Row(reader.read(rows), query.timeOf(rows), query.idOf(rows)) : null;
  }

  private void endPoll() throws SQLException {
    rows.getStatement().close();
    rows = null;
    connection.commit();
    later(settings.getInt(Settings.POLL));
  }

  private void later(long millis) {
    dueNanos = System.nanoTime() + millis * 1_000_000;
  }

  /**
   * Closes the connection, after an error or at the end. The next read opens a new connection. It
   * then starts a new poll at the position of the last returned record. (A poll in mode `bulk`
   * always reads all rows.)
   */
  void close() {
    rows = null;
    ahead = null;
    later(Math.min(1000, settings.getInt(Settings.POLL)));
    try (Connection closing = connection) {
      connection = null;
    } catch (SQLException error) {
      // an error while closing is harmless, because the connection is gone in any case
    }
  }
}
