package dev.sluice.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;

/** Builds and runs SQL for the rows after a position, in the order in which positions advance. */
final class PollQuery {
  private static final Set<String> INTEGERS = Set.of("int2", "int4", "int8", "serial", "bigserial", "smallserial");

  private final Settings.Mode mode;
  private final String select;
  private final String id;
  private final List<String> times;
  /**
   * The SQL expression for the time of a row's last change. `bound` is the SQL of a parameter with
   * which the query compares this time.
   */
  private final String time;
  private final String bound;

  /**
   * `columns` has the type of each column, as `Database.describe` returns it. Throws a
   * ConnectException if the id column or a time column does not exist or has the wrong type.
   */
  PollQuery(Settings settings, Feed.Subject subject, Map<String, String> columns) {
    mode = settings.mode();
    select = subject.select();
    id = mode.byId ? settings.getString(Settings.INCREMENTING) : null;
    times = mode.byTime ? settings.getList(Settings.TIMESTAMPS) : List.of();
    if (id != null && !INTEGERS.contains(typeOf(columns, id, subject))) {
      throw new ConnectException(Settings.INCREMENTING + ": " + id + " of " + subject.name() + " is " + columns.get(id) + ", not an integer");
    }
    List<String> types = times.stream().map(name -> typeOf(columns, name, subject)).distinct().toList();
    if (mode.byTime && (types.size() != 1 || !types.get(0).startsWith("timestamp"))) {
      throw new ConnectException(Settings.TIMESTAMPS + ": " + times + " of " + subject.name() + " are " + types + ", not all timestamp or all timestamptz");
    }
    time = times.size() == 1 ? Database.quoted(times.get(0)) : "COALESCE(" + times.stream().map(Database::quoted).collect(Collectors.joining(", ")) + ")";
    bound = types.contains("timestamp") ? "(?::timestamptz AT TIME ZONE 'UTC')" : "?::timestamptz";
  }

  private static String typeOf(Map<String, String> columns, String name, Feed.Subject subject) {
    String type = columns.get(name);
    if (type == null) throw new ConnectException(subject.name() + " has no column " + name + "; it has " + String.join(", ", columns.keySet()));
    return type;
  }

  /**
   * `latest` is an upper bound of the time, and `highest` one of the id; null means no bound. The
   * caller closes the result's statement.
   */
  ResultSet run(Connection connection, Position position, Instant latest, Long highest, int fetch) throws SQLException {
    List<String> where = new ArrayList<>();
    List<Object> values = new ArrayList<>();
    if (latest != null) add(where, values, time + " < " + bound, latest);
    if (highest != null) add(where, values, Database.quoted(id) + " <= ?", highest);
    if (mode == Settings.Mode.TIMESTAMP_INCREMENTING && position.time() != null && position.id() != null) {
      add(where, values, "(" + time + ", " + Database.quoted(id) + ") > (" + bound + ", ?)", position.time(), position.id());
    } else if (mode.byTime && position.time() != null) {
      add(where, values, time + " > " + bound, position.time());
    } else if (mode == Settings.Mode.INCREMENTING && position.id() != null) {
      add(where, values, Database.quoted(id) + " > ?", position.id());
    }
    PreparedStatement statement = connection.prepareStatement(text(where));
    statement.setFetchSize(fetch);
    for (int at = 0; at < values.size(); at++) {
      if (values.get(at) instanceof Instant moment) statement.setString(at + 1, moment.toString());
      else statement.setLong(at + 1, (Long) values.get(at));
    }
    return statement.executeQuery();
  }

  String text(List<String> where) {
    List<String> order = new ArrayList<>();
    if (mode.byTime) order.add(time);
    if (mode.byId) order.add(Database.quoted(id));
    return "SELECT * FROM (" + select + ") AS source"
        + (where.isEmpty() ? "" : " WHERE " + String.join(" AND ", where))
        + (order.isEmpty() ? "" : " ORDER BY " + String.join(", ", order));
  }

  private static void add(List<String> where, List<Object> values, String condition, Object... parameters) {
    where.add(condition);
    values.addAll(List.of(parameters));
  }

  /** Returns the highest current id, or null if there is none. */
  Long highestId(Connection connection) throws SQLException {
    try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT max(" + Database.quoted(id) + ") FROM (" + select + ") AS source")) {
      row.next();
      long highest = row.getLong(1);
      return row.wasNull() ? null : highest;
    }
  }

  Long idOf(ResultSet row) throws SQLException {
    if (id == null) return null;
    long value = row.getLong(id);
    if (row.wasNull()) throw new DataException("column " + id + " is NULL, so the row has no position");
    return value;
  }

  Instant timeOf(ResultSet row) throws SQLException {
    for (String name : times) {
      String text = row.getString(name);
      if (text != null) return parse(name, text);
    }
    return null; // the mode uses no time; otherwise, the query returns only rows that have a time
  }

  static Instant parse(String name, String text) {
    try {
      return LocalDateTime.parse(Database.withoutZone(text).replace(' ', 'T')).toInstant(ZoneOffset.UTC);
    } catch (DateTimeParseException error) {
      throw new DataException("column " + name + " contains " + text + ", which is not a point in time");
    }
  }
}
