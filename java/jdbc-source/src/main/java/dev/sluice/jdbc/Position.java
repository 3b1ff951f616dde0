package dev.sluice.jdbc;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** How far a subject was read; what Connect stores. Each part is null where the mode has none, or nothing was read yet. */
record Position(Instant time, Long id, Long poll, boolean whole) {
  static final Position START = new Position(null, null, null, false);

  static Position of(Map<String, Object> stored) {
    if (stored == null) return START;
    Instant time = null;
    if (stored.get("timestamp") instanceof Number millis) {
      long nanos = stored.get("timestamp_nanos") instanceof Number n ? n.longValue() : Math.floorMod(millis.longValue(), 1000L) * 1_000_000L;
      time = Instant.ofEpochSecond(Math.floorDiv(millis.longValue(), 1000L), nanos);
    }
    Long id = stored.get("incrementing") instanceof Number n ? n.longValue() : null;
    Long poll = stored.get("poll") instanceof Number n ? n.longValue() : null;
    return new Position(time, id, poll, Boolean.TRUE.equals(stored.get("whole")));
  }

  /** Null where there is nothing to store yet. The keys are those of the well-known JDBC sources; `poll` and `whole` are of bulk mode, which has none there. */
  Map<String, Object> toOffset() {
    Map<String, Object> offset = new HashMap<>();
    if (time != null) {
      offset.put("timestamp", time.toEpochMilli());
      offset.put("timestamp_nanos", (long) time.getNano());
    }
    if (id != null) offset.put("incrementing", id);
    if (poll != null) {
      offset.put("poll", poll);
      offset.put("whole", whole);
    }
    return offset.isEmpty() ? null : offset;
  }

  /**
   * The position that a record may carry: all rows up to it have been handed over. `next` is the row behind this one, null at the end of a poll.
   * By time alone, a time is done only when no further row has it: a restart in between reads its rows again rather than skip some.
   */
  Position after(Settings.Mode mode, Row row, Row next, long pollNumber) {
    return switch (mode) {
      case BULK -> new Position(null, null, pollNumber, next == null);
      case INCREMENTING -> new Position(null, row.id(), null, false);
      case TIMESTAMP_INCREMENTING -> new Position(row.time(), row.id(), null, false);
      case TIMESTAMP -> next != null && next.time().equals(row.time()) ? this : new Position(row.time(), null, null, false);
    };
  }

  /** A row with what its cursor columns hold; null where the mode does not look at them. */
  record Row(org.apache.kafka.connect.data.Struct value, Instant time, Long id) {}
}
