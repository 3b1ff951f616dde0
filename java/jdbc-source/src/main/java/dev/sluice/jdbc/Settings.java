package dev.sluice.jdbc;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/**
 * Defines the connector's configuration. The keys are those of Aiven's and Confluent's JDBC
 * sources.
 */
final class Settings extends AbstractConfig {
  static final String URL = "connection.url";
  static final String USER = "connection.user";
  static final String PASSWORD = "connection.password";
  static final String MODE = "mode";
  static final String QUERY = "query";
  static final String TABLES = "table.whitelist";
  static final String INCREMENTING = "incrementing.column.name";
  static final String TIMESTAMPS = "timestamp.column.name";
  static final String DELAY = "timestamp.delay.interval.ms";
  static final String PREFIX = "topic.prefix";
  static final String POLL = "poll.interval.ms";
  static final String BATCH = "batch.max.rows";

  static final ConfigDef DEFINITION =
      new ConfigDef()
          .define(URL, Type.STRING, Importance.HIGH, "jdbc:postgresql://host:port/database")
          .define(USER, Type.STRING, null, Importance.HIGH, "Role that reads")
          .define(PASSWORD, Type.PASSWORD, null, Importance.HIGH, "Its password")
          .define(MODE, Type.STRING, ConfigDef.NO_DEFAULT_VALUE, ValidString.in("bulk", "incrementing", "timestamp", "timestamp+incrementing"), Importance.HIGH, "Which rows are new: all rows at every poll, higher ids, later times, or times with ids to break ties")
          .define(QUERY, Type.STRING, "", Importance.MEDIUM, "A SELECT, instead of tables; its topic is topic.prefix without a suffix")
          .define(TABLES, Type.LIST, List.of(), Importance.MEDIUM, "Tables as schema.name; each has the topic topic.prefix + schema.name")
          .define(INCREMENTING, Type.STRING, "", Importance.MEDIUM, "Integer column that only grows")
          .define(TIMESTAMPS, Type.LIST, List.of(), Importance.MEDIUM, "Columns whose first value that is not NULL says when a row last changed")
          .define(DELAY, Type.LONG, 0L, Range.atLeast(0), Importance.HIGH, "The minimum age of a row before it is read, so that transactions that commit late are not skipped. Ids are held back for the same time")
          .define(PREFIX, Type.STRING, Importance.HIGH, "Prefix of the topics")
          .define(POLL, Type.INT, 5000, Range.atLeast(1), Importance.HIGH, "Pause between polls")
          .define(BATCH, Type.INT, 1000, Range.atLeast(1), Importance.LOW, "Rows handed to Connect at a time, and fetched from the server-side cursor at a time");

  Settings(Map<String, String> values) {
    super(DEFINITION, values);
  }

  Mode mode() {
    return Mode.of(getString(MODE));
  }

  /**
   * Returns a message for the first key that contradicts another key, or that is missing although
   * the mode needs it. Returns an empty map if there is none.
   */
  static Map<String, String> contradictions(Settings settings) {
    boolean hasQuery = !settings.getString(QUERY).isBlank();
    boolean hasTables = !settings.getList(TABLES).isEmpty();
    Mode mode = settings.mode();
    if (hasQuery == hasTables) return Map.of(QUERY, "set either " + QUERY + " or " + TABLES);
    if (mode.byId && settings.getString(INCREMENTING).isBlank()) return Map.of(INCREMENTING, "mode " + mode.name + " needs " + INCREMENTING);
    if (mode.byTime && settings.getList(TIMESTAMPS).isEmpty()) return Map.of(TIMESTAMPS, "mode " + mode.name + " needs " + TIMESTAMPS);
    return Map.of();
  }

  enum Mode {
    BULK("bulk", false, false),
    INCREMENTING("incrementing", false, true),
    TIMESTAMP("timestamp", true, false),
    TIMESTAMP_INCREMENTING("timestamp+incrementing", true, true);

    final String name;
    final boolean byTime;
    final boolean byId;

    Mode(String name, boolean byTime, boolean byId) {
      this.name = name;
      this.byTime = byTime;
      this.byId = byId;
    }

    static Mode of(String name) {
      for (Mode mode : values()) if (mode.name.equals(name)) return mode;
      throw new IllegalArgumentException("no mode " + name);
    }
  }
}
