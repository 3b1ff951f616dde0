package dev.sluice.example;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * Runs the pipeline of the example. It reads these environment variables: KAFKA_BROKERS,
 * TOPIC_PREFIX, OUTPUT_TOPIC, APPLICATION_ID, PIPELINE_VERSION (1 has the deliberate mistake, 2 is
 * correct), STATE_DIR, KAFKA_PROPERTIES, STAGE_TOPIC and REGISTRY_URL. The last three have no
 * default and may be absent. KAFKA_PROPERTIES names a file with settings for TLS and login.
 * STAGE_TOPIC names a topic for the totals of each quarter of an hour. REGISTRY_URL names the
 * schema registry, which only topics in Avro need. With the argument {@code --reset}, the pipeline
 * first discards the results of an earlier version.
 */
public final class Main {
  private static final List<String> TABLES = List.of("stores", "orders", "order_items", "refunds");

  private Main() {}

  public static void main(String[] args) throws Exception {
    String brokers = env("KAFKA_BROKERS", "127.0.0.1:17402");
    String prefix = env("TOPIC_PREFIX", "daily-revenue");
    String output = env("OUTPUT_TOPIC", "daily-revenue");
    String application = env("APPLICATION_ID", "daily-revenue");
    int version = Integer.parseInt(env("PIPELINE_VERSION", "2"));
    String stage = System.getenv("STAGE_TOPIC");
    awaitTopics(brokers, prefix, output);
    if (args.length > 0 && args[0].equals("--reset")) Reset.run(brokers, application, stage == null ? List.of(output) : List.of(output, stage));
    if (stage != null) createStage(brokers, stage);
    Properties properties = properties(brokers, application);
    KafkaStreams streams = new KafkaStreams(new Revenue(prefix, version).build(output, stage, properties), properties);
    streams.setUncaughtExceptionHandler(e -> StreamThreadExceptionResponse.REPLACE_THREAD);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      streams.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP)); // otherwise, the next version would wait until this member's session in the group times out
      stopped.countDown();
    }));
    streams.start();
    System.out.println("pipeline version " + version + " is running");
    stopped.await();
  }

  private static Properties properties(String brokers, String application) {
    Properties p = Clients.of(brokers);
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    p.put(StreamsConfig.STATE_DIR_CONFIG, env("STATE_DIR", "/tmp/daily-revenue-streams"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100); // the longest delay of a record in each stage
    // A table's topic also serves as the changelog of its state. An Avro topic cannot, because the
    // form of its keys differs from the form of the state's keys.
    p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, System.getenv("REGISTRY_URL") == null ? StreamsConfig.REUSE_KTABLE_SOURCE_TOPICS : StreamsConfig.NO_OPTIMIZATION);
    p.putIfAbsent(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    p.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$InMemoryDslStoreSuppliers");
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L * 1024 * 1024);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6000);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 1500);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
    return p;
  }

  /**
   * Waits for the source topics and the output topic. The pipeline fails without them, and the
   * migration may create them after the pipeline starts.
   */
  private static void awaitTopics(String brokers, String prefix, String output) throws InterruptedException {
    Properties p = Clients.of(brokers);
    while (true) {
      try (Admin admin = Admin.create(p)) {
        Set<String> topics = admin.listTopics().names().get();
        if (topics.contains(output) && TABLES.stream().allMatch(t -> topics.contains(prefix + ".public." + t))) return;
      } catch (ExecutionException e) {
        System.out.println("waiting for Kafka: " + e.getCause().getMessage());
      }
      Thread.sleep(500);
    }
  }

  private static void createStage(String brokers, String topic) throws InterruptedException, ExecutionException {
    Properties p = Clients.of(brokers);
    short replicas = Short.parseShort(p.getProperty(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1"));
    try (Admin admin = Admin.create(p)) {
      if (admin.listTopics().names().get().contains(topic)) return;
      admin.createTopics(List.of(new NewTopic(topic, 1, replicas).configs(Map.of("cleanup.policy", "compact")))).all().get();
    }
  }

  private static String env(String name, String preset) {
    String value = System.getenv(name);
    return value == null ? preset : value;
  }
}
