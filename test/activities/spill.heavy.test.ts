// Tests the parts on disk that a comparison uses if its keys do not fit in memory.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  SpillSide,
  bytesNeeded,
  partsFor,
  removeSpill,
} from '../../src/activities/windows/folds/spill.js';
import { addDigests } from '../../src/compare/enc/digests.js';
import { KeyTable } from '../../src/compare/enc/key-table.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const keyNumber = (n: number): Int32Array => Int32Array.of(n >> 20, n, 0, 0);

describe('records on disk', () => {
  it('are read back completely and in their order, and all records of a key are in one part', () => {
    const dir = temporaryFolder('sluice-test-spill-');
    const side = new SpillSide(dir, 'rows', 8);
    for (let n = 0; n < 50_000; n += 1) side.add(keyNumber(n % 20_000), n, ~n, n & 1, 7);
    const seen = new Map<number, { part: number; values: number[] }>();
    let count = 0;
    const sizes: number[] = [];
    for (let part = 0; part < 8; part += 1) {
      const visited = side.visit(part, ({ key, high, low, extra0, extra1 }) => {
        expect([low, extra0, extra1]).toEqual([~high, high & 1, 7]);
        const entry = seen.get(key[1]!) ?? { part, values: [] };
        expect(entry.part).toBe(part);
        entry.values.push(high);
        seen.set(key[1]!, entry);
      });
      count += visited;
      sizes.push(visited);
    }
    expect(count).toBe(50_000);
    expect(seen.get(3)!.values).toEqual([3, 20_003, 40_003]);
    // no part is much larger than the others
    expect(Math.max(...sizes)).toBeLessThan(1.2 * Math.min(...sizes));
    side.close();
    removeSpill(dir);
    expect(() => readdirSync(dir)).toThrow('ENOENT');
  });

  it('are used only if memory is too small, and the number of parts is a power of two', () => {
    expect(partsFor(bytesNeeded(1_000_000), 2 ** 30)).toBe(1);
    expect(partsFor(bytesNeeded(100_000_000), 2 ** 30)).toBe(8);
    expect(partsFor(bytesNeeded(1e12), 2 ** 20)).toBe(256);
  });
});

describe('the digest of a table in parts', () => {
  it('equals the digest of the whole table', () => {
    const [whole, even, odd] = [new KeyTable(2), new KeyTable(2), new KeyTable(2)];
    for (let n = 0; n < 5000; n += 1)
      for (const table of [whole, n % 2 ? odd : even])
        table.set(keyNumber(n), n * 7919, n ^ 0x5555);
    expect(addDigests(even.digest(), odd.digest())).toBe(whole.digest());
  });
});
