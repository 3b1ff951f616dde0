package dev.sluice.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PositionTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00.123456Z");
  private static final Instant LATER = NOON.plusMillis(1);

  private static Position.Row row(Instant time, Long id) {
    return new Position.Row(null, time, id);
  }

  @Test
  void aTimeCountsAsReadOnlyWhenNoFurtherRowHasIt() {
    Position first = Position.START.after(Settings.Mode.TIMESTAMP, row(NOON, null), row(NOON, null), 1);
    assertNull(first.toOffset());
    Position second = first.after(Settings.Mode.TIMESTAMP, row(NOON, null), row(LATER, null), 1);
    assertEquals(NOON, second.time());
    assertEquals(NOON, second.after(Settings.Mode.TIMESTAMP, row(LATER, null), row(LATER, null), 1).time());
    assertEquals(LATER, second.after(Settings.Mode.TIMESTAMP, row(LATER, null), null, 1).time());
  }

  @Test
  void tiesInTimeAreBrokenByTheId() {
    Position position = Position.START.after(Settings.Mode.TIMESTAMP_INCREMENTING, row(NOON, 7L), row(NOON, 8L), 1);
    assertEquals(Map.of("timestamp", NOON.toEpochMilli(), "timestamp_nanos", 123_456_000L, "incrementing", 7L), position.toOffset());
  }

  @Test
  void aStoredPositionIsReadBackToTheMicrosecondEvenBefore1970() {
    for (Instant time : new Instant[] {NOON, Instant.parse("1969-12-31T23:59:59.000001Z")}) {
      Position position = new Position(time, 3L, null, false);
      assertEquals(position, Position.of(position.toOffset()));
    }
    assertEquals(Position.START, Position.of(null));
  }

  @Test
  void aBulkPollIsWholeAtItsLastRow() {
    assertEquals(Map.of("poll", 4L, "whole", false), Position.START.after(Settings.Mode.BULK, row(null, null), row(null, null), 4).toOffset());
    assertEquals(Map.of("poll", 4L, "whole", true), Position.START.after(Settings.Mode.BULK, row(null, null), null, 4).toOffset());
  }
}
