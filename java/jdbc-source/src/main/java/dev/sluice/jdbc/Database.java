package dev.sluice.jdbc;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/**
 * Opens read-only connections that read rows with cursors on the server. Values are the text that
 * the server prints, with times in UTC.
 */
final class Database {
  private Database() {}

  static Connection open(Settings settings) throws SQLException {
    Properties properties = new Properties();
    if (settings.getString(Settings.USER) != null) properties.setProperty("user", settings.getString(Settings.USER));
    if (settings.getPassword(Settings.PASSWORD) != null) properties.setProperty("password", settings.getPassword(Settings.PASSWORD).value());
    properties.setProperty("binaryTransfer", "false"); // text keeps every digit of every type
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("loginTimeout", "10");
    Connection connection = DriverManager.getConnection(settings.getString(Settings.URL), properties);
    try {
      connection.setReadOnly(true);
      try (Statement statement = connection.createStatement()) {
        // With row_security = off, Postgres raises an error if row security would hide rows. With
        // the default, the position would move past the hidden rows.
        statement.execute("SET row_security = off; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex'");
      }
      connection.setAutoCommit(false); // otherwise the driver reads the whole result into memory
    } catch (SQLException error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  /** Returns Postgres' type name for each column of the SELECT. */
  static Map<String, String> describe(Connection connection, String select) throws SQLException {
    try (var statement = connection.prepareStatement("SELECT * FROM (" + select + ") AS source LIMIT 0")) {
      ResultSetMetaData meta = statement.getMetaData();
      Map<String, String> columns = new LinkedHashMap<>();
      for (int at = 1; at <= meta.getColumnCount(); at++) columns.put(meta.getColumnLabel(at), meta.getColumnTypeName(at));
      return columns;
    } finally {
      connection.rollback();
    }
  }

  /** Removes the zone, if there is one, from a time that the server printed in UTC. */
  static String withoutZone(String time) {
    return time.endsWith("+00") ? time.substring(0, time.length() - 3) : time;
  }

  static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /**
   * Returns true if a retry can help. This is so if the cause is the connection, the server, its
   * resources, a lock or a deadlock, and not the statement.
   */
  static boolean isTransient(SQLException error) {
    String state = error.getSQLState();
    return state != null && (state.startsWith("08") || state.startsWith("57") || state.startsWith("53") || state.startsWith("40") || state.startsWith("55"));
  }
}
