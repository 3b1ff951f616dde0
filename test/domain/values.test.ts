// Tests positions in the WAL, visibility, durations and sizes.
import { describe, expect, it } from 'vitest';
import { durationMs, sizeBytes } from '../../src/domain/values/duration.js';
import {
  compareLsn,
  isVisible,
  lsnDistance,
  lsnFromBigInt,
  lsnToBigInt,
  parseSnapshot,
} from '../../src/domain/values/position.js';

describe('positions in the WAL and ids of transactions', () => {
  it('LSNs are ordered and subtracted across the border of their 32-bit halves', () => {
    expect(compareLsn('0/FFFFFFFF', '1/0')).toBe(-1);
    expect(lsnDistance('0/FFFFFFFF', '1/0')).toBe(1);
    expect(lsnDistance('1/0', '0/0')).toBe(0);
    expect(lsnFromBigInt(lsnToBigInt('16/B374D848'))).toBe('16/B374D848');
    expect(() => lsnToBigInt('16-B3')).toThrow('not an LSN');
  });
  it('a transaction is visible to a snapshot only if it had ended before the snapshot', () => {
    const snapshot = parseSnapshot('100:110:103,107');
    expect([99, 102, 109].every((id) => isVisible(id, snapshot))).toBe(true);
    expect([103, 107, 110, 111].some((id) => isVisible(id, snapshot))).toBe(false);
  });
  it('a 32-bit transaction id means the nearest 64-bit id if no upper limit of the ids is known', () => {
    const epoch = 2 ** 32;
    const snapshot = parseSnapshot(`${3 * epoch + 5}:${3 * epoch + 10}:`);
    expect(isVisible(7, snapshot)).toBe(true);
    expect(isVisible(12, snapshot)).toBe(false);
    expect(isVisible(epoch - 3, snapshot)).toBe(true); // just before the wraparound
    const before = parseSnapshot(`${3 * epoch - 10}:${3 * epoch - 5}:`);
    expect(isVisible(2, before)).toBe(false); // just after the wraparound
  });
});

describe('durations and sizes', () => {
  it('are read with their units', () => {
    expect([durationMs('30s'), durationMs('5m'), durationMs('2h'), durationMs('7d')]).toEqual([
      30_000, 300_000, 7_200_000, 604_800_000,
    ]);
    expect(sizeBytes('10GiB')).toBe(10 * 1024 ** 3);
    expect(() => durationMs('5 minutes')).toThrow();
  });
});
