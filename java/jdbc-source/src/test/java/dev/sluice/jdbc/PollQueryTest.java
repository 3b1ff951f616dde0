package dev.sluice.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.Test;

class PollQueryTest {
  private static Settings settings(String... pairs) {
    Map<String, String> values = new HashMap<>(Map.of("connection.url", "jdbc:postgresql://x/y", "topic.prefix", "t."));
    for (int at = 0; at < pairs.length; at += 2) values.put(pairs[at], pairs[at + 1]);
    return new Settings(values);
  }

  private static PollQuery query(Settings settings, Map<String, String> columns) {
    return new PollQuery(settings, Feed.Subject.of(settings).get(0), columns);
  }

  @Test
  void rowsComeInTheOrderInWhichPositionsAdvance() {
    Settings settings = settings("mode", "timestamp+incrementing", "table.whitelist", "public.Orders", "incrementing.column.name", "id", "timestamp.column.name", "changed,made");
    String text = query(settings, Map.of("id", "int8", "changed", "timestamptz", "made", "timestamptz")).text(List.of("x"));
    assertEquals("SELECT * FROM (SELECT * FROM \"public\".\"Orders\") AS source WHERE x ORDER BY COALESCE(\"changed\", \"made\"), \"id\"", text);
  }

  @Test
  void aQueryMayEndInASemicolon() {
    Settings settings = settings("mode", "bulk", "query", "SELECT 1 AS a; ");
    assertEquals("SELECT * FROM (SELECT 1 AS a) AS source", query(settings, Map.of("a", "int4")).text(List.of()));
  }

  @Test
  void anIdOrTimeColumnThatIsMissingOrHasTheWrongTypeIsRefused() {
    Settings byId = settings("mode", "incrementing", "query", "SELECT 1", "incrementing.column.name", "id");
    assertTrue(assertThrows(ConnectException.class, () -> query(byId, Map.of("id", "text"))).getMessage().contains("id of the query is text"));
    assertTrue(assertThrows(ConnectException.class, () -> query(byId, Map.of("a", "int4"))).getMessage().contains("no column id; it has a"));
    Settings byTime = settings("mode", "timestamp", "query", "SELECT 1", "timestamp.column.name", "at");
    assertThrows(ConnectException.class, () -> query(byTime, Map.of("at", "date")));
  }

  @Test
  void timesAreReadToTheMicrosecondAndInfinityIsRefused() {
    assertEquals(Instant.parse("2026-01-01T12:00:00.000001Z"), PollQuery.parse("at", "2026-01-01 12:00:00.000001+00"));
    assertThrows(DataException.class, () -> PollQuery.parse("at", "-infinity"));
  }

  @Test
  void anErrorNamesAKeyThatContradictsAnotherKeyOrIsMissing() {
    assertEquals("query", only(settings("mode", "bulk")));
    assertEquals("query", only(settings("mode", "bulk", "query", "SELECT 1", "table.whitelist", "a.b")));
    assertEquals("incrementing.column.name", only(settings("mode", "incrementing", "query", "SELECT 1")));
    assertEquals("timestamp.column.name", only(settings("mode", "timestamp", "query", "SELECT 1")));
  }

  private static String only(Settings settings) {
    return Settings.contradictions(settings).keySet().iterator().next();
  }
}
