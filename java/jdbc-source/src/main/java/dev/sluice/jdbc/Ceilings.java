package dev.sluice.jdbc;

import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Says up to which id a poll may read in mode `incrementing`. Remembers the highest id at recent
 * polls, each with its time. A poll reads only up to the id that was the highest `delayMillis` ago.
 * A transaction that wrote a lower id may commit during this delay. Not thread-safe.
 */
final class Ceilings {
  /** Reads the highest current id, or null if there is none. It may wait for a lock. */
  @FunctionalInterface
  interface HighestId {
    Long read() throws SQLException;
  }

  private record Ceiling(long atNanos, Long highest) {}

  private final LongSupplier nanos;
  private final Deque<Ceiling> ceilings = new ArrayDeque<>();

  /** `nanos` is the clock, such as `System::nanoTime`. */
  Ceilings(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /**
   * Returns the highest id that was known `delayMillis` ago, or null if none was. Transactions that
   * wrote lower ids had that time to commit.
   */
  Long settled(long delayMillis, HighestId ids) throws SQLException {
    // The clock is read after the id. If the read of the id waits for a lock, the id may have been
    // written during the wait. The delay of such an id begins only now.
    Long highest = ids.read();
    ceilings.add(new Ceiling(nanos.getAsLong(), highest));
    Ceiling old = null;
    while (!ceilings.isEmpty() && nanos.getAsLong() - ceilings.peek().atNanos() >= delayMillis * 1_000_000) old = ceilings.poll();
    if (old == null) return null;
    ceilings.addFirst(old);
    return old.highest();
  }

  void clear() {
    ceilings.clear();
  }
}
