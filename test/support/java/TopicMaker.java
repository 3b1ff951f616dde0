import java.io.FileReader;
import java.io.Reader;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * Creates a topic with Kafka's Java client. FILE has the client's settings. Usage: TopicMaker FILE
 * TOPIC
 */
public final class TopicMaker {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (Reader reader = new FileReader(args[0])) {
      settings.load(reader);
    }
    try (Admin admin = Admin.create(settings)) {
      admin.createTopics(List.of(new NewTopic(args[1], 1, (short) 1))).all().get();
    }
  }
}
