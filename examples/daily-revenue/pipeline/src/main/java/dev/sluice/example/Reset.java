package dev.sluice.example;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;

/**
 * Discards the results of an earlier version. Deletes the consumer group with its offsets, and the
 * internal topics of Kafka Streams. Then writes a tombstone for every key that still has a value in
 * an output topic.
 */
final class Reset {
  private Reset() {}

  static void run(String brokers, String application, List<String> outputs) throws Exception {
    Properties p = Clients.of(brokers);
    try (Admin admin = Admin.create(p)) {
      for (int attempt = 0; ; attempt++) {
        try {
          admin.deleteConsumerGroups(List.of(application)).all().get();
          break;
        } catch (Exception e) {
          if (e.getCause() instanceof org.apache.kafka.common.errors.GroupIdNotFoundException) break;
          if (attempt > 60) throw e;
          Thread.sleep(500); // the group has members until the old version's session ends
        }
      }
      Set<String> internal = admin.listTopics().names().get().stream().filter(t -> t.startsWith(application + "-") && (t.endsWith("-repartition") || t.endsWith("-changelog") || t.endsWith("-topic"))).collect(Collectors.toSet());
      admin.deleteTopics(internal).all().get();
    }
    for (String output : outputs) System.out.println("reset: deleted " + forget(p, output) + " keys of " + output);
  }

  private static int forget(Properties base, String output) {
    Properties p = new Properties();
    p.putAll(base);
    p.put("isolation.level", "read_committed");
    Set<Bytes> live = new HashSet<>();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      if (!consumer.listTopics().containsKey(output)) return 0;
      List<TopicPartition> partitions = consumer.partitionsFor(output).stream().map(i -> new TopicPartition(output, i.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(tp -> consumer.position(tp) < ends.get(tp))) {
        for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
          if (r.value() == null) live.remove(Bytes.wrap(r.key()));
          else live.add(Bytes.wrap(r.key()));
        }
      }
    }
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(base, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (Bytes key : live) producer.send(new ProducerRecord<>(output, key.get(), null));
      producer.flush();
    }
    return live.size();
  }
}
