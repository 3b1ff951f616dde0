// Tests the tables of key hashes: their memory, and the note that they store for each key.
import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../src/compare/enc/key-table.js';
import { KeyTableMemory, Outgrown } from '../../src/compare/key-table-memory.js';
import { firstWord, isProven, placeOf, secondWord } from '../../src/compare/output-note.js';

describe('the memory of a comparison', () => {
  it('is limited for all of its tables together, including tables that do not grow', () => {
    const fill = (memory: KeyTableMemory, table: KeyTable, from: number): void => {
      for (let n = from; n < from + 700; n += 1)
        memory.set(table, Int32Array.of(n, n * 7, 0, 0), 1, 1);
    };
    const [one, other] = [new KeyTable(4, 0), new KeyTable(4, 0)];
    const memory = new KeyTableMemory(one.bytes * 2.5);
    memory.hold(other);
    fill(memory, one, 1);
    expect(() => fill(memory, one, 1000)).toThrow(Outgrown);
    const wider = new KeyTableMemory(one.bytes * 2.5);
    fill(wider, one, 1000);
    expect(one.size).toBe(1400);
    expect(() => fill(wider, other, 1)).not.toThrow();
    expect(() => fill(wider, other, 1000)).toThrow(Outgrown);
  });
});

describe('the note of a key', () => {
  it('keeps a partition below 8192, the offset and the kind, and moves with its key', () => {
    const place = { partition: 8191, offset: 2 ** 48 - 1 };
    expect(placeOf(firstWord(place, 2), secondWord(place))).toEqual(place);
    expect(isProven(firstWord(place, 3))).toBe(false);
    expect(() => firstWord({ partition: 8192, offset: 0 }, 0)).toThrow(/only 8192 partitions/);
    const table = new KeyTable(4, 0, true);
    const key = (n: number): Int32Array => Int32Array.of(n, n * 7, 0, 0);
    for (let n = 1; n <= 5000; n += 1) table.setNote(table.set(key(n), n, n), n, -n, ~n);
    for (let n = 1; n <= 5000; n += 3) table.delete(key(n));
    for (let n = 2; n <= 5000; n += 3) {
      const slot = table.find(key(n));
      expect([0, 1, 2].map((word) => table.note(slot, word as 0 | 1 | 2))).toEqual([n, -n, ~n]);
    }
  });
});
