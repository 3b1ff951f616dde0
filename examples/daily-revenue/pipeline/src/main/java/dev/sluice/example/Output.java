package dev.sluice.example;

import dev.sluice.example.Rows.Bucket;
import dev.sluice.example.Rows.Totals;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * Encodes the output records as Kafka Connect's JSON with schema, which Debezium's JDBC sink needs.
 * Encodes the records of the stage topic as plain JSON.
 */
final class Output {
  static final Serde<byte[]> BYTES = Serdes.ByteArray();

  private static final int SCALE = 2;
  private static final String KEY_SCHEMA =
      struct(field("day", "\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Date\",\"version\":1") + "," + field("store_id", "\"type\":\"int32\""));
  private static final String DECIMAL = "\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"" + SCALE + "\"}";
  private static final String VALUE_SCHEMA = struct(field("orders", "\"type\":\"int64\"") + "," + field("gross", DECIMAL) + "," + field("refunded", DECIMAL) + "," + field("revenue", DECIMAL));

  private Output() {}

  static byte[] key(Bucket key) {
    return record(KEY_SCHEMA, "{\"day\":" + key.at() + ",\"store_id\":" + key.storeId() + "}");
  }

  static byte[] value(Totals daily) {
    BigDecimal revenue = daily.gross().subtract(daily.refunded());
    return record(VALUE_SCHEMA, "{\"orders\":" + daily.orders() + ",\"gross\":" + decimal(daily.gross()) + ",\"refunded\":" + decimal(daily.refunded()) + ",\"revenue\":" + decimal(revenue) + "}");
  }

  /** The stage's records are plain JSON, because only Sluice's windows read them. */
  static byte[] stageKey(Bucket key) {
    return ("{\"quarter\":" + key.at() + ",\"store_id\":" + key.storeId() + "}").getBytes(StandardCharsets.UTF_8);
  }

  static byte[] stageValue(Totals t) {
    return ("{\"orders\":" + t.orders() + ",\"gross\":\"" + t.gross().toPlainString() + "\",\"refunded\":\"" + t.refunded().toPlainString() + "\"}").getBytes(StandardCharsets.UTF_8);
  }

  private static String decimal(BigDecimal value) {
    return "\"" + Base64.getEncoder().encodeToString(value.setScale(SCALE).unscaledValue().toByteArray()) + "\"";
  }

  private static byte[] record(String schema, String payload) {
    return ("{\"schema\":" + schema + ",\"payload\":" + payload + "}").getBytes(StandardCharsets.UTF_8);
  }

  private static String struct(String fields) {
    return "{\"type\":\"struct\",\"optional\":false,\"fields\":[" + fields + "]}";
  }

  private static String field(String name, String type) {
    return "{\"field\":\"" + name + "\",\"optional\":false," + type + "}";
  }
}
