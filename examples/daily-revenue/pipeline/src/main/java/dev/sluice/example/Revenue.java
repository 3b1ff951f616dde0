package dev.sluice.example;

import dev.sluice.example.Rows.Amount;
import dev.sluice.example.Rows.Bucket;
import dev.sluice.example.Rows.BucketTotals;
import dev.sluice.example.Rows.OrderRevenue;
import dev.sluice.example.Rows.Store;
import dev.sluice.example.Rows.Totals;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Builds the batch's query as a topology of five stages. The first two add up the items and the
 * refunds of each order. The other three compute the revenue of each order, of each store and
 * quarter of an hour, and of each store and day.
 */
final class Revenue {
  private final StreamsBuilder builder = new StreamsBuilder();
  private final String prefix;
  private final int version;

  Revenue(String topicPrefix, int version) {
    this.prefix = topicPrefix;
    this.version = version;
  }

  /**
   * If {@code stageTopic} is not null, it receives the totals per quarter of an hour, so that this
   * stage can be validated separately.
   */
  Topology build(String outputTopic, String stageTopic, Properties properties) {
    KTable<Long, BigDecimal> gross = totalPerOrder("order_items", "stage-1-order-gross", Rows.ITEM);
    KTable<Long, BigDecimal> refunded = totalPerOrder("refunds", "stage-2-order-refunds", Rows.REFUND);
    KTable<Long, OrderRevenue> perOrder = revenuePerOrder(gross, refunded);
    KTable<Bucket, Totals> perQuarter = revenuePerQuarter(perOrder);
    if (stageTopic != null) {
      perQuarter
          .toStream(Named.as("stage-4-output"))
          .map((key, totals) -> KeyValue.pair(Output.stageKey(key), totals == null || totals.orders() == 0 ? null : Output.stageValue(totals)), Named.as("stage-4-encode"))
          .to(stageTopic, Produced.with(Output.BYTES, Output.BYTES));
    }
    KTable<Bucket, Totals> perDay = revenuePerDay(perQuarter);
    perDay
        .toStream(Named.as("stage-5-output"))
        .map((key, daily) -> KeyValue.pair(Output.key(key), daily == null || daily.orders() == 0 ? null : Output.value(daily)), Named.as("stage-5-encode"))
        .to(outputTopic, Produced.with(Output.BYTES, Output.BYTES));
    return builder.build(properties);
  }

  private KTable<Long, BigDecimal> totalPerOrder(String table, String stage, Serde<Amount> serde) {
    return table(table, serde)
        .groupBy((id, amount) -> KeyValue.pair(amount.orderId(), amount), Grouped.with(stage, Rows.ID, serde))
        .aggregate(() -> BigDecimal.ZERO, (order, amount, sum) -> sum.add(amount.value()), (order, amount, sum) -> sum.subtract(amount.value()), stored(stage, Rows.ID, Rows.DECIMAL));
  }

  private KTable<Long, OrderRevenue> revenuePerOrder(KTable<Long, BigDecimal> gross, KTable<Long, BigDecimal> refunded) {
    return table("orders", Rows.ORDER)
        .leftJoin(gross, (order, sum) -> new OrderRevenue(order.storeId(), order.cancelled(), order.quarter(), orZero(sum), BigDecimal.ZERO), Named.as("stage-3-with-gross"))
        .leftJoin(refunded, (r, sum) -> new OrderRevenue(r.storeId(), r.cancelled(), r.quarter(), r.gross(), orZero(sum)), Named.as("stage-3-with-refunds"), stored("stage-3-order-revenue", Rows.ID, Rows.ORDER_REVENUE));
  }

  private KTable<Bucket, Totals> revenuePerQuarter(KTable<Long, OrderRevenue> perOrder) {
    return perOrder
        .filter((id, r) -> !r.cancelled(), Named.as("stage-4-not-cancelled"))
        .groupBy((id, r) -> KeyValue.pair(new Bucket(r.quarter(), r.storeId()), r), Grouped.with("stage-4-quarters", Rows.BUCKET, Rows.ORDER_REVENUE))
        .aggregate(
            () -> Totals.NONE,
            (key, r, sum) -> sum.plus(1, r.gross(), r.refunded()),
            (key, r, sum) -> sum.minus(1, r.gross(), r.refunded()),
            stored("stage-4-quarters", Rows.BUCKET, Rows.TOTALS));
  }

  private KTable<Bucket, Totals> revenuePerDay(KTable<Bucket, Totals> perQuarter) {
    KTable<Long, Store> stores = table("stores", Rows.STORE);
    return perQuarter
        .mapValues(BucketTotals::new, Named.as("stage-5-quarter"), stored("stage-5-quarter", Rows.BUCKET, Rows.BUCKET_TOTALS))
        .join(stores, quarter -> (long) quarter.bucket().storeId(), (quarter, store) -> new BucketTotals(dayOf(quarter.bucket(), store), quarter.totals()), TableJoined.as("stage-5-store"), stored("stage-5-dated", Rows.BUCKET, Rows.BUCKET_TOTALS))
        .groupBy((quarter, dated) -> KeyValue.pair(dated.bucket(), dated.totals()), Grouped.with("stage-5-daily", Rows.BUCKET, Rows.TOTALS))
        .aggregate(
            () -> Totals.NONE,
            (key, t, sum) -> sum.plus(t.orders(), t.gross(), t.refunded()),
            (key, t, sum) -> sum.minus(t.orders(), t.gross(), t.refunded()),
            stored("stage-5-daily", Rows.BUCKET, Rows.TOTALS));
  }

  /**
   * Version 1 has the example's deliberate mistake: it computes the day in UTC. The batch uses the
   * store's time zone.
   */
  private Bucket dayOf(Bucket quarter, Store store) {
    ZoneId zone = version == 1 ? ZoneOffset.UTC : ZoneId.of(store.timeZone());
    return new Bucket(Instant.ofEpochSecond(quarter.at() * Rows.QUARTER_SECONDS).atZone(zone).toLocalDate().toEpochDay(), quarter.storeId());
  }

  private <V> KTable<Long, V> table(String name, Serde<V> serde) {
    return builder.table(prefix + ".public." + name, Consumed.with(Rows.ID, serde).withName("source-" + name), stored("table-" + name, Rows.ID, serde).withCachingDisabled());
  }

  private static <K, V> Materialized<K, V, KeyValueStore<Bytes, byte[]>> stored(String name, Serde<K> key, Serde<V> value) {
    return Materialized.<K, V, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(key).withValueSerde(value);
  }

  private static BigDecimal orZero(BigDecimal sum) {
    return sum == null ? BigDecimal.ZERO : sum;
  }
}
