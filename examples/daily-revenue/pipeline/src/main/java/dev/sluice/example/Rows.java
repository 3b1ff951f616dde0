package dev.sluice.example;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * Defines the rows of the pipeline. Reads them from Debezium's records, and writes them to the
 * pipeline's state and reads them from there.
 */
final class Rows {
  record Store(String timeZone) {}

  /**
   * {@code quarter} is the number of the quarter of an hour in which the order was placed, counted
   * since 1970 in UTC.
   */
  record Order(int storeId, boolean cancelled, long quarter) {}

  /** An amount that belongs to an order: an item or a refund. */
  record Amount(long orderId, BigDecimal value) {}

  record OrderRevenue(int storeId, boolean cancelled, long quarter, BigDecimal gross, BigDecimal refunded) {}

  /** A store and a time: the number of a quarter of an hour, or of a day. */
  record Bucket(long at, int storeId) {}

  record Totals(long orders, BigDecimal gross, BigDecimal refunded) {
    static final Totals NONE = new Totals(0, BigDecimal.ZERO, BigDecimal.ZERO);

    Totals plus(long moreOrders, BigDecimal moreGross, BigDecimal moreRefunded) {
      return new Totals(orders + moreOrders, gross.add(moreGross), refunded.add(moreRefunded));
    }

    Totals minus(long fewerOrders, BigDecimal lessGross, BigDecimal lessRefunded) {
      return new Totals(orders - fewerOrders, gross.subtract(lessGross), refunded.subtract(lessRefunded));
    }
  }

  /** Totals with their bucket, which is a quarter of an hour or a day. */
  record BucketTotals(Bucket bucket, Totals totals) {}

  // Since 1973, the offset of every time zone is a multiple of a quarter of an hour. So a quarter
  // belongs to one local day in every zone.
  static final long QUARTER_SECONDS = 900;

  private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  // This reader stops after the row. The rest of the envelope is as large as the row, and is not
  // needed.
  private static final ObjectReader AFTER = JSON.readerFor(JsonNode.class).at("/after");

  /**
   * Reads Debezium's key {@code {"id":1}}, and writes it to internal topics in the same form. So
   * both sides of a join are in the same partition. For an Avro key, the bytes in the internal
   * topic differ from those in the source topic. With several partitions, the two sides of a join
   * could then be in different partitions. So source topics in Avro must have only one partition.
   */
  static final Serde<Long> ID =
      serde(id -> "{\"id\":" + id + "}", text -> Long.parseLong(text, 6, text.length() - 1, 10), avro -> Avro.field(avro, "id").asLong());

  static final Serde<Store> STORE = envelope(s -> s.timeZone(), Store::new, row -> new Store(row.get("time_zone").asText()));

  static final Serde<Order> ORDER =
      envelope(
          o -> o.storeId() + "," + o.cancelled() + "," + o.quarter(),
          text -> {
            String[] f = text.split(",");
            return new Order(Integer.parseInt(f[0]), Boolean.parseBoolean(f[1]), Long.parseLong(f[2]));
          },
          row -> new Order(row.get("store_id").asInt(), row.get("status").asText().equals("cancelled"), Math.floorDiv(Instant.parse(row.get("ordered_at").asText()).getEpochSecond(), QUARTER_SECONDS)));

  static final Serde<Amount> ITEM = amounts(row -> decimal(row, "unit_price").multiply(BigDecimal.valueOf(row.get("quantity").asInt())).subtract(row.get("discount").isNull() ? BigDecimal.ZERO : decimal(row, "discount")));

  static final Serde<Amount> REFUND = amounts(row -> decimal(row, "amount"));

  static final Serde<BigDecimal> DECIMAL = serde(BigDecimal::toPlainString, BigDecimal::new);

  static final Serde<OrderRevenue> ORDER_REVENUE =
      serde(
          r -> r.storeId() + "," + r.cancelled() + "," + r.quarter() + "," + r.gross().toPlainString() + "," + r.refunded().toPlainString(),
          text -> {
            String[] f = text.split(",");
            return new OrderRevenue(Integer.parseInt(f[0]), Boolean.parseBoolean(f[1]), Long.parseLong(f[2]), new BigDecimal(f[3]), new BigDecimal(f[4]));
          });

  static final Serde<Bucket> BUCKET = serde(k -> k.at() + "," + k.storeId(), text -> bucket(text.split(","), 0));

  static final Serde<Totals> TOTALS = serde(Rows::write, text -> totals(text.split(","), 0));

  static final Serde<BucketTotals> BUCKET_TOTALS =
      serde(
          d -> d.bucket().at() + "," + d.bucket().storeId() + "," + write(d.totals()),
          text -> {
            String[] f = text.split(",");
            return new BucketTotals(bucket(f, 0), totals(f, 2));
          });

  private Rows() {}

  private static Bucket bucket(String[] f, int from) {
    return new Bucket(Long.parseLong(f[from]), Integer.parseInt(f[from + 1]));
  }

  private static Totals totals(String[] f, int from) {
    return new Totals(Long.parseLong(f[from]), new BigDecimal(f[from + 1]), new BigDecimal(f[from + 2]));
  }

  private static String write(Totals t) {
    return t.orders() + "," + t.gross().toPlainString() + "," + t.refunded().toPlainString();
  }

  private static BigDecimal decimal(JsonNode row, String field) {
    return new BigDecimal(row.get(field).asText());
  }

  private static Serde<Amount> amounts(Function<JsonNode, BigDecimal> value) {
    return envelope(
        a -> a.orderId() + "," + a.value().toPlainString(),
        text -> {
          String[] f = text.split(",");
          return new Amount(Long.parseLong(f[0]), new BigDecimal(f[1]));
        },
        row -> new Amount(row.get("order_id").asLong(), value.apply(row)));
  }

  /**
   * Reads Debezium's envelope from source topics, as JSON or Avro, and the pipeline's compact text
   * from state. JSON starts with a brace, and the compact text never does.
   */
  private static <T> Serde<T> envelope(Function<T, String> write, Function<String, T> readState, Function<JsonNode, T> readRow) {
    return serde(
        write,
        text -> text.startsWith("{") ? row(read(AFTER, text), readRow) : readState.apply(text),
        avro -> row(Avro.field(avro, "after"), readRow));
  }

  /** Returns null for a delete, because "after" is null in its record. */
  private static <T> T row(JsonNode after, Function<JsonNode, T> readRow) {
    return after == null || !after.isObject() ? null : readRow.apply(after);
  }

  private static <T> Serde<T> serde(Function<T, String> write, Function<String, T> read) {
    return serde(write, read, avro -> { throw new IllegalStateException("state is never Avro"); });
  }

  private static <T> Serde<T> serde(Function<T, String> write, Function<String, T> read, Function<byte[], T> readAvro) {
    return Serdes.serdeFrom(
        (topic, value) -> value == null ? null : write.apply(value).getBytes(StandardCharsets.UTF_8),
        (topic, bytes) -> {
          if (bytes == null) return null;
          return bytes[0] == Avro.MARK ? readAvro.apply(bytes) : read.apply(new String(bytes, StandardCharsets.UTF_8));
        });
  }

  private static JsonNode read(ObjectReader reader, String text) {
    try {
      return reader.readValue(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
