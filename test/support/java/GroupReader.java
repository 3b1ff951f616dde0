// Reads a topic as a member of a group, and commits what it has read. (In a share group, it
// acknowledges records instead.) The program never ends by itself.
// Usage: java -cp 'LIBS/*:CLASSES' GroupReader BROKERS GROUP TOPIC PROTOCOL STATE_FOLDER
// PROTOCOL is the group's protocol: classic, consumer, share or streams. Only `streams` uses
// STATE_FOLDER. If the variable KAFKA_PROPERTIES names a file with the settings for TLS and login,
// the program uses them.
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;

public class GroupReader {
  public static void main(String[] args) throws Exception {
    Properties p = access();
    p.put("bootstrap.servers", args[0]);
    p.put("group.id", args[1]);
    p.put("key.deserializer", ByteArrayDeserializer.class.getName());
    p.put("value.deserializer", ByteArrayDeserializer.class.getName());
    switch (args[3]) {
      case "share" -> share(p, args[2]);
      case "streams" -> streams(args);
      default -> consume(p, args[2], args[3]);
    }
  }

  static Properties access() throws Exception {
    Properties p = new Properties();
    String file = System.getenv("KAFKA_PROPERTIES");
    if (file != null)
      try (Reader reader = Files.newBufferedReader(Path.of(file))) {
        p.load(reader);
      }
    return p;
  }

  static void consume(Properties p, String topic, String protocol) {
    p.put("group.protocol", protocol);
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(p)) {
      consumer.subscribe(List.of(topic));
      while (true) if (!consumer.poll(Duration.ofMillis(200)).isEmpty()) consumer.commitSync();
    }
  }

  static void share(Properties p, String topic) {
    try (KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(p)) {
      consumer.subscribe(List.of(topic));
      while (true) consumer.poll(Duration.ofMillis(200));
    }
  }

  static void streams(String[] args) throws Exception {
    Properties p = access();
    p.put("bootstrap.servers", args[0]);
    p.put("application.id", args[1]);
    p.put("group.protocol", "streams");
    p.put("state.dir", args[4]);
    p.put("commit.interval.ms", "200");
    p.put("auto.offset.reset", "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(args[2], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray())).foreach((key, value) -> {});
    new KafkaStreams(builder.build(), p).start();
    Thread.currentThread().join();
  }
}
