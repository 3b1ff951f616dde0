package dev.sluice.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PositionTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00.123456Z");
  private static final Instant LATER = NOON.plusMillis(1);

  private static final Position.Poll POLL = new Position.Poll(4, "10:20:12");

  private static Position.Row row(Instant time, Long id) {
    return new Position.Row(null, time, id);
  }

  @Test
  void inModeTimestampThePositionPassesATimeOnlyAtTheLastRowOfThisTime() {
    Position first = Position.START.after(Settings.Mode.TIMESTAMP, row(NOON, null), row(NOON, null), POLL);
    assertNull(first.toOffset());
    Position second = first.after(Settings.Mode.TIMESTAMP, row(NOON, null), row(LATER, null), POLL);
    assertEquals(NOON, second.time());
    assertEquals(NOON, second.after(Settings.Mode.TIMESTAMP, row(LATER, null), row(LATER, null), POLL).time());
    assertEquals(LATER, second.after(Settings.Mode.TIMESTAMP, row(LATER, null), null, POLL).time());
  }

  @Test
  void tiesInTimeAreBrokenByTheId() {
    Position position = Position.START.after(Settings.Mode.TIMESTAMP_INCREMENTING, row(NOON, 7L), row(NOON, 8L), POLL);
    assertEquals(Map.of("timestamp", NOON.toEpochMilli(), "timestamp_nanos", 123_456_000L, "incrementing", 7L), position.toOffset());
  }

  @Test
  void aStoredPositionIsReadBackToTheMicrosecondEvenBefore1970() {
    for (Instant time : new Instant[] {NOON, Instant.parse("1969-12-31T23:59:59.000001Z")}) {
      Position position = new Position(time, 3L, null, false, null);
      assertEquals(position, Position.of(position.toOffset()));
    }
    assertEquals(Position.START, Position.of(null));
  }

  @Test
  void aBulkPollIsWholeAtItsLastRow() {
    Position first = Position.START.after(Settings.Mode.BULK, row(null, null), row(null, null), POLL);
    assertEquals(Map.of("poll", 4L, "whole", false), first.toOffset());
    Position last = first.after(Settings.Mode.BULK, row(null, null), null, POLL);
    assertEquals(Map.of("poll", 4L, "whole", true, "seen", "10:20:12"), last.toOffset());
  }

  @Test
  void anUnfinishedBulkPollStillHasTheSnapshotOfTheLastCompleteOne() {
    Position stored = Position.of(Map.of("poll", 4L, "whole", true, "seen", "10:20:12"));
    Position later = stored.after(Settings.Mode.BULK, row(null, null), row(null, null), new Position.Poll(5, "30:30:"));
    assertEquals(Map.of("poll", 5L, "whole", false, "seen", "10:20:12"), later.toOffset());
  }
}
