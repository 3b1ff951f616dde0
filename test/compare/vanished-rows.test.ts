// Tests which rows of an initial load were deleted between two of its scans.
import { describe, expect, it } from 'vitest';
import { VanishedRows } from '../../src/compare/vanished-rows.js';

type Sent = readonly [key: number, op: string | null, lsn?: number | string];

function rowsOf(...records: readonly Sent[]): VanishedRows {
  const rows = new VanishedRows();
  for (const [key, op, lsn = 1] of records) {
    const value = `{"before":null,"after":{"op":"r"},"source":{"lsn":${lsn},"xmin":null},"op":"${op}"}`;
    rows.add(Buffer.from(`{"id":${key}}`), op === null ? null : Buffer.from(value));
  }
  return rows;
}

/** Returns how many rows vanished before the topic's own newest scan. */
const vanished = (...records: readonly Sent[]): number => {
  const rows = rowsOf(...records);
  return rows.before(rows.newest);
};

describe('a row of an earlier scan', () => {
  it('has vanished if the last scan did not read it', () => {
    expect(vanished([1, 'r', 10], [2, 'r', 10], [1, 'r', 20])).toBe(1);
  });

  it('has not vanished if the last scan read it, or only one scan began', () => {
    expect(vanished([1, 'r', 10], [2, 'r', 10], [1, 'r', 20], [2, 'r', 20])).toBe(0);
    expect(vanished([1, 'r', 10], [2, 'r', 10])).toBe(0);
  });

  it('has not vanished if a change followed it', () => {
    expect(vanished([1, 'r', 10], [2, 'r', 10], [1, 'r', 20], [2, 'u', 30])).toBe(0);
    expect(vanished([1, 'r', 10], [2, 'r', 10], [1, 'r', 20], [2, 'd', 30], [2, null])).toBe(0);
  });

  it('has vanished if the last of three scans did not read it', () => {
    expect(vanished([1, 'r', 10], [2, 'r', 10], [2, 'r', 20], [1, 'r', 30])).toBe(1);
  });

  it('has vanished if the last scan found its table empty, as the scan of another table shows', () => {
    const [emptied, other] = [rowsOf([1, 'r', 10], [2, 'r', 10]), rowsOf([1, 'r', 20])];
    expect(emptied.before(other.newest)).toBe(2);
  });

  it('is compared by positions that a double cannot represent exactly', () => {
    const [earlier, later] = ['9007199254740992', '9007199254740993'];
    expect(vanished([1, 'r', earlier], [2, 'r', earlier], [1, 'r', later])).toBe(1);
  });

  it('is counted among thousands of rows', () => {
    const scan = (lsn: number): Sent[] => Array.from({ length: 5000 }, (_, key) => [key, 'r', lsn]);
    expect(vanished(...scan(10), ...scan(20).slice(7))).toBe(7);
  });
});
