// Tests that the parts of a range of a table's blocks cover exactly this range.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksAtOnce } from '../../src/activities/capture/load/copy-tables.js';
import { blockRanges, dividedBlocks, inBlocks } from '../../src/clients/postgres/block-ranges.js';

const upTo = fc.integer({ min: 1, max: 20_000 });

describe('the parts of a range of blocks', () => {
  it('follow each other without a gap, and end where the range ends', () => {
    fc.assert(
      fc.property(
        upTo,
        upTo,
        fc.integer({ min: 1, max: 600 }),
        fc.boolean(),
        (a, b, size, ends) => {
          const [from, blocks] = [Math.min(a, b) - 1, Math.max(a, b)];
          const range = { from, to: ends ? blocks : null };
          const parts = dividedBlocks(range, blocks, size);
          expect(parts[0]!.from).toBe(from);
          expect(parts.at(-1)!.to).toBe(range.to);
          const endsAndSizes = parts.slice(0, -1).map((part) => [part.to, part.to! - part.from]);
          expect(endsAndSizes).toEqual(parts.slice(1).map((part) => [part.from, size]));
          expect((range.to ?? blocks) - parts.at(-1)!.from).toBeLessThanOrEqual(size);
        },
      ),
    );
  });

  it('of a whole table end without an upper bound, and are a single part if the table is empty', () => {
    expect(blockRanges(0, 4096)).toEqual([`ctid >= '(0,0)'::tid`]);
    expect(blockRanges(5000, 4096)).toEqual([
      `ctid >= '(0,0)'::tid AND ctid < '(4096,0)'::tid`,
      `ctid >= '(4096,0)'::tid`,
    ]);
    expect(inBlocks({ from: 8, to: 9 })).toBe(`ctid >= '(8,0)'::tid AND ctid < '(9,0)'::tid`);
  });

  it.each([
    [0, 600_000, 512],
    [20_000, 600_000, 512],
    [100, 600_000, 103],
    [0.5, 600_000, 1],
    [10, 1000, 1],
  ])(
    'at %d rows per second and a timeout of %d ms have at most %d blocks',
    (rowsPerSecond, timeoutMs, blocks) =>
      expect(blocksAtOnce(rowsPerSecond, timeoutMs)).toBe(blocks),
  );
});
