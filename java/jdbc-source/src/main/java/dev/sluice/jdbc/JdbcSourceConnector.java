package dev.sluice.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.source.ExactlyOnceSupport;
import org.apache.kafka.connect.source.SourceConnector;

/**
 * Polls tables of Postgres, or one query over them, into topics. Polling does not see deletes.
 * Except in mode `bulk`, it does not see updates that leave the columns of id and time unchanged.
 */
public final class JdbcSourceConnector extends SourceConnector {
  private Map<String, String> values = Map.of();

  @Override
  public void start(Map<String, String> config) {
    values = config;
  }

  @Override
  public Class<? extends Task> taskClass() {
    return JdbcSourceTask.class;
  }

  /** Distributes the tables over the tasks. A query needs only one task. */
  @Override
  public List<Map<String, String>> taskConfigs(int maxTasks) {
    List<String> tables = new Settings(values).getList(Settings.TABLES);
    if (tables.isEmpty()) return List.of(values);
    List<Map<String, String>> tasks = new ArrayList<>();
    for (int at = 0; at < Math.min(maxTasks, tables.size()); at++) {
      List<String> mine = new ArrayList<>();
      for (int table = at; table < tables.size(); table += maxTasks) mine.add(tables.get(table));
      Map<String, String> task = new HashMap<>(values);
      task.put(Settings.TABLES, String.join(",", mine));
      tasks.add(task);
    }
    return tasks;
  }

  @Override
  public void stop() {}

  @Override
  public ConfigDef config() {
    return Settings.DEFINITION;
  }

  /**
   * Says that this connector supports exactly-once. If the Connect worker enables it, Connect
   * writes a record and its position in one transaction.
   */
  @Override
  public ExactlyOnceSupport exactlyOnceSupport(Map<String, String> config) {
    return ExactlyOnceSupport.SUPPORTED;
  }

  @Override
  public Config validate(Map<String, String> config) {
    Config result = super.validate(config);
    if (result.configValues().stream().anyMatch(value -> !value.errorMessages().isEmpty())) return result;
    Settings settings = new Settings(config);
    Map<String, String> problems = Settings.contradictions(settings);
    if (problems.isEmpty()) problems = tryOut(settings);
    for (ConfigValue value : result.configValues()) {
      String problem = problems.get(value.name());
      if (problem != null) value.addErrorMessage(problem);
    }
    return result;
  }

  /**
   * Connects to the database, and reads the columns of each table or of the query, so that errors
   * appear before Connect creates the connector.
   */
  private static Map<String, String> tryOut(Settings settings) {
    Connection connection;
    try {
      connection = Database.open(settings);
    } catch (SQLException error) {
      return Map.of(Settings.URL, "cannot connect: " + error.getMessage());
    }
    try (connection) {
      for (Feed.Subject subject : Feed.Subject.of(settings)) new PollQuery(settings, subject, Database.describe(connection, subject.select()));
      return Map.of();
    } catch (SQLException error) {
      return Map.of(settings.getString(Settings.QUERY).isBlank() ? Settings.TABLES : Settings.QUERY, error.getMessage());
    } catch (ConnectException error) {
      return Map.of(Settings.MODE, error.getMessage());
    }
  }

  @Override
  public String version() {
    return "1";
  }
}
