package dev.sluice.example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads Avro in Confluent's wire format, with the schemas of the registry that REGISTRY_URL names.
 * Supports only the types of this example's tables. Your own pipeline should use its registry's
 * deserializer instead.
 */
final class Avro {
  /** A record in this wire format begins with this byte. The id of its schema follows. */
  static final byte MARK = 0;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient REGISTRY = HttpClient.newHttpClient();
  private static final Map<Integer, Schema> SCHEMAS = new ConcurrentHashMap<>();

  /**
   * A schema, and its types that have a name. Other parts of the schema may refer to such a type by
   * its name.
   */
  private record Schema(JsonNode root, Map<String, JsonNode> named) {}

  private final ByteBuffer bytes;
  private final Map<String, JsonNode> named;

  private Avro(ByteBuffer bytes, Map<String, JsonNode> named) {
    this.bytes = bytes;
    this.named = named;
  }

  /** Reads the record up to the named field, and returns the value of that field. */
  static JsonNode field(byte[] record, String name) {
    ByteBuffer bytes = ByteBuffer.wrap(record);
    bytes.get();
    Schema schema = SCHEMAS.computeIfAbsent(bytes.getInt(), Avro::fetch);
    Avro reader = new Avro(bytes, schema.named());
    for (JsonNode field : schema.root().get("fields")) {
      JsonNode value = reader.read(field.get("type"));
      if (field.get("name").asText().equals(name)) return value;
    }
    throw new IllegalStateException("the Avro record has no field " + name);
  }

  private static Schema fetch(int id) {
    URI uri = URI.create(System.getenv("REGISTRY_URL") + "/schemas/ids/" + id);
    try {
      HttpResponse<String> answer = REGISTRY.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofString());
      if (answer.statusCode() != 200) throw new IOException(uri + " answers " + answer.statusCode());
      JsonNode root = JSON.readTree(JSON.readTree(answer.body()).get("schema").asText());
      Map<String, JsonNode> named = new HashMap<>();
      collect(root, "", named);
      return new Schema(root, named);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static void collect(JsonNode schema, String above, Map<String, JsonNode> named) {
    if (schema.isArray()) schema.forEach(branch -> collect(branch, above, named));
    if (!schema.isObject()) return;
    String namespace = schema.path("namespace").asText(above);
    if (schema.has("name")) {
      named.put(schema.get("name").asText(), schema);
      named.put(namespace + "." + schema.get("name").asText(), schema);
    }
    collect(schema.get("type"), namespace, named);
    schema.path("fields").forEach(field -> collect(field.get("type"), namespace, named));
  }

  private JsonNode read(JsonNode schema) {
    if (schema.isArray()) return read(schema.get((int) number())); // a union
    if (schema.isTextual()) return simple(schema.asText());
    if (!schema.get("type").asText().equals("record")) return read(schema.get("type"));
    ObjectNode row = JSON.createObjectNode();
    for (JsonNode field : schema.get("fields")) row.set(field.get("name").asText(), read(field.get("type")));
    return row;
  }

  private JsonNode simple(String type) {
    return switch (type) {
      case "null" -> JSON.nullNode();
      case "boolean" -> JSON.getNodeFactory().booleanNode(bytes.get() == 1);
      case "int", "long" -> JSON.getNodeFactory().numberNode(number());
      case "string" -> JSON.getNodeFactory().textNode(text());
      default -> {
        JsonNode schema = named.get(type);
        if (schema == null) throw new IllegalStateException("this example does not read the Avro type " + type);
        yield read(schema);
      }
    };
  }

  private String text() {
    byte[] text = new byte[(int) number()];
    bytes.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Reads a number in zigzag form. */
  private long number() {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) return (value >>> 1) ^ -(value & 1);
    }
  }
}
