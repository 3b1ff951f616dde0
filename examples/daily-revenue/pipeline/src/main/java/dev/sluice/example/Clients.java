package dev.sluice.example;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** Names the brokers for every client of the pipeline, and says how the client logs in to them. */
final class Clients {
  private Clients() {}

  /**
   * Returns the brokers as a setting. If KAFKA_PROPERTIES is set, also returns the settings in the
   * file that it names. The file may contain a password.
   */
  static Properties of(String brokers) {
    Properties p = new Properties();
    String file = System.getenv("KAFKA_PROPERTIES");
    if (file != null) {
      try (Reader reader = Files.newBufferedReader(Path.of(file))) {
        p.load(reader);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read KAFKA_PROPERTIES " + file, e);
      }
    }
    p.put("bootstrap.servers", brokers);
    return p;
  }
}
