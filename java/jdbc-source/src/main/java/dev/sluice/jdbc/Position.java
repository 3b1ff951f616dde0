package dev.sluice.jdbc;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * The position up to which a table or query was read. Connect stores it. A component is null (or
 * false) if the mode does not use it, or if nothing was read yet. In mode `bulk`, `poll` is the
 * number of the current poll, and `whole` says whether the last row of this poll was read. `seen`
 * is the database's snapshot from directly before the last complete poll, or null before the first.
 */
record Position(Instant time, Long id, Long poll, boolean whole, String seen) {
  static final Position START = new Position(null, null, null, false, null);

  /** A poll. In bulk mode, `snapshot` is the database's snapshot from directly before the poll. */
  record Poll(long number, String snapshot) {}

  static Position of(Map<String, Object> stored) {
    if (stored == null) return START;
    Instant time = null;
    if (stored.get("timestamp") instanceof Number millis) {
      long nanos = stored.get("timestamp_nanos") instanceof Number n ? n.longValue() : Math.floorMod(millis.longValue(), 1000L) * 1_000_000L;
      time = Instant.ofEpochSecond(Math.floorDiv(millis.longValue(), 1000L), nanos);
    }
    Long id = stored.get("incrementing") instanceof Number n ? n.longValue() : null;
    Long poll = stored.get("poll") instanceof Number n ? n.longValue() : null;
    String seen = stored.get("seen") instanceof String s ? s : null;
    return new Position(time, id, poll, Boolean.TRUE.equals(stored.get("whole")), seen);
  }

  /**
   * Returns the form in which Connect stores the position, or null if there is nothing to store yet.
   * The keys are those of Aiven's and Confluent's JDBC sources, plus `poll`, `whole` and `seen` for mode `bulk`.
   */
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
    if (seen != null) offset.put("seen", seen);
    return offset.isEmpty() ? null : offset;
  }

  /**
   * Returns the position that Connect stores with the record of `row`. `next` is the following row,
   * or null at the end of a poll. In mode `timestamp`, the position passes a time only after the
   * last row of this time. If the task restarts before that, it reads the rows of this time again,
   * so that no row is skipped.
   */
  Position after(Settings.Mode mode, Row row, Row next, Poll current) {
    return switch (mode) {
      case BULK -> new Position(null, null, current.number(), next == null, next == null ? current.snapshot() : seen);
      case INCREMENTING -> new Position(null, row.id(), null, false, null);
      case TIMESTAMP_INCREMENTING -> new Position(row.time(), row.id(), null, false, null);
      case TIMESTAMP -> next != null && next.time().equals(row.time()) ? this : new Position(row.time(), null, null, false, null);
    };
  }

  /** A row with its time and its id. Each of the two is null if the mode does not use it. */
  record Row(org.apache.kafka.connect.data.Struct value, Instant time, Long id) {}
}
