package dev.sluice.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class CeilingsTest {
  private static final long DELAY_MILLIS = 1000;
  private long nowNanos = 7;
  private final Ceilings ceilings = new Ceilings(() -> nowNanos);

  private Long poll(long id) throws SQLException {
    return ceilings.settled(DELAY_MILLIS, () -> id);
  }

  private void pass(long millis) {
    nowNanos += millis * 1_000_000;
  }

  @Test
  void anIdIsHeldBackUntilTheDelayHasPassed() throws SQLException {
    assertNull(poll(1));
    pass(999);
    assertNull(poll(2));
    pass(1);
    assertEquals(1, poll(3));
    pass(999);
    assertEquals(2, poll(4));
    assertEquals(2, poll(4));
  }

  @Test
  void theDelayOfAnIdBeginsWhenItsReadEndsSoAWaitForALockDoesNotCount() throws SQLException {
    assertNull(poll(1));
    pass(500);
    Long duringTheWait = ceilings.settled(DELAY_MILLIS, () -> {
      pass(5 * DELAY_MILLIS);
      return 3L;
    });
    assertEquals(1, duringTheWait);
    pass(999);
    assertEquals(1, poll(3));
    pass(1);
    assertEquals(3, poll(3));
  }

  @Test
  void theFirstIdOfAnEmptyTableIsHeldBackToo() throws SQLException {
    assertNull(ceilings.settled(DELAY_MILLIS, () -> null));
    pass(DELAY_MILLIS);
    assertNull(poll(1));
  }

  @Test
  void theDelayBeginsAgainAfterANewConnection() throws SQLException {
    assertNull(poll(1));
    pass(DELAY_MILLIS);
    ceilings.clear();
    assertNull(poll(1));
  }
}
