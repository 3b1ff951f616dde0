package dev.sluice.jdbc;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;

/**
 * Reads rows of a result as Connect's structs, with one schema per result. Values that Connect's
 * types would round (numeric with its digits and NaN, times with their microseconds, intervals)
 * become text. The text has the form that Debezium writes with `decimal.handling.mode=string`,
 * `time.precision.mode=isostring` and `interval.handling.mode=string`. Therefore a consumer can
 * read the same form from both connectors. Exceptions are NaN, infinite values and dates before
 * Christ, which keep the server's text.
 */
final class RowReader {
  private final List<String> types = new ArrayList<>();
  private final List<Field> fields;
  final Schema schema;

  RowReader(ResultSetMetaData meta, String name) throws SQLException {
    SchemaBuilder builder = SchemaBuilder.struct().name(name);
    for (int at = 1; at <= meta.getColumnCount(); at++) {
      types.add(meta.getColumnTypeName(at));
      builder.field(meta.getColumnLabel(at), schemaOf(types.get(at - 1)));
    }
    schema = builder.build();
    fields = schema.fields();
  }

  Struct read(ResultSet row) throws SQLException {
    Struct struct = new Struct(schema);
    for (int at = 0; at < types.size(); at++) {
      String type = types.get(at);
      if (!type.startsWith("_")) {
        struct.put(fields.get(at), valueOf(type, row.getString(at + 1)));
        continue;
      }
      Array array = row.getArray(at + 1);
      struct.put(fields.get(at), array == null ? null : itemsOf(type.substring(1), array.toString()));
    }
    return struct;
  }

  static Schema schemaOf(String type) {
    if (type.startsWith("_")) return SchemaBuilder.array(schemaOf(type.substring(1))).optional().build();
    return switch (type) {
      case "bool" -> Schema.OPTIONAL_BOOLEAN_SCHEMA;
      case "int2", "smallserial" -> Schema.OPTIONAL_INT16_SCHEMA;
      case "int4", "serial" -> Schema.OPTIONAL_INT32_SCHEMA;
      case "int8", "bigserial", "oid" -> Schema.OPTIONAL_INT64_SCHEMA;
      case "float4" -> Schema.OPTIONAL_FLOAT32_SCHEMA;
      case "float8" -> Schema.OPTIONAL_FLOAT64_SCHEMA;
      case "bytea" -> Schema.OPTIONAL_BYTES_SCHEMA;
      default -> Schema.OPTIONAL_STRING_SCHEMA;
    };
  }

  /** `text` is the server's output: times in UTC, ISO dates and intervals, bytes in hex. */
  static Object valueOf(String type, String text) {
    if (text == null) return null;
    return switch (type) {
      case "bool" -> text.equals("t") || text.equals("true");
      case "int2", "smallserial" -> Short.valueOf(text);
      case "int4", "serial" -> Integer.valueOf(text);
      case "int8", "bigserial", "oid" -> Long.valueOf(text);
      case "float4" -> Float.valueOf(text);
      case "float8" -> Double.valueOf(text);
      case "bytea" -> HexFormat.of().parseHex(text, 2, text.length());
      case "date", "time" -> endless(text) ? text : text + "Z";
      case "timestamp", "timestamptz" -> endless(text) ? text : Database.withoutZone(text).replace(' ', 'T') + "Z";
      default -> text;
    };
  }

  /**
   * Returns true for an infinite date or timestamp, and for one before Christ. They keep the
   * server's text, because they have no usual ISO form.
   */
  private static boolean endless(String text) {
    return text.endsWith("infinity") || text.endsWith(" BC");
  }

  /**
   * Reads one-dimensional arrays, and keeps NULL elements. If an array does not begin at 1, the
   * server prints its bounds first, as in `[0:1]={a,b}`. A list has no bounds, so they are left out.
   */
  static List<Object> itemsOf(String type, String text) {
    List<Object> items = new ArrayList<>();
    int at = text.startsWith("[") ? text.indexOf("={") + 2 : 1;
    while (at < text.length() - 1) {
      StringBuilder item = new StringBuilder();
      boolean quoted = text.charAt(at) == '"';
      if (text.charAt(at) == '{') throw new DataException("an array of more than one dimension: " + text);
      if (quoted) at++;
      while (quoted ? text.charAt(at) != '"' : text.charAt(at) != ',' && at < text.length() - 1) {
        if (text.charAt(at) == '\\') at++;
        item.append(text.charAt(at++));
      }
      at += quoted ? 2 : 1;
      items.add(!quoted && item.toString().equals("NULL") ? null : valueOf(type, item.toString()));
    }
    return items;
  }
}
