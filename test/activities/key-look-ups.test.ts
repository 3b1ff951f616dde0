// Tests the SQL conditions with which a window reads the rows of the keys that a witness names.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUps } from '../../src/activities/windows/witness/key-look-ups.js';

/**
 * Returns the keys for which the conditions are true. A key that two conditions name appears twice.
 */
function keysOf(conditions: Iterable<string>): bigint[] {
  const found: bigint[] = [];
  for (const condition of conditions)
    for (const part of condition.split(' OR ')) {
      const range = /^id BETWEEN (-?\d+) AND (-?\d+)$/.exec(part);
      const list = /^id = ANY \('\{([-\d,]+)\}'\)$/.exec(part);
      if (range)
        for (let key = BigInt(range[1]!); key <= BigInt(range[2]!); key += 1n) found.push(key);
      else found.push(...list![1]!.split(',').map(BigInt));
    }
  return found;
}

const runs = fc.array(
  fc.record({
    from: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    length: fc.integer({ min: 1, max: 400 }),
  }),
  { maxLength: 40 },
);

describe('lookups of keys', () => {
  it('name every key exactly once, in lists and in ranges', () => {
    fc.assert(
      fc.property(runs, (some) => {
        const keys = new Set(
          some.flatMap(({ from, length }) => Array.from({ length }, (_, i) => from + BigInt(i))),
        );
        const found = keysOf(lookUps('id', [...keys]));
        expect(found).toHaveLength(keys.size);
        expect(new Set(found)).toEqual(keys);
      }),
      { numRuns: 20 },
    );
  });

  it('name consecutive keys as ranges, and at most 10,000 keys at once', () => {
    const keys = Array.from({ length: 25_000 }, (_, i) => BigInt(i));
    expect([...lookUps('id', keys)]).toEqual([
      'id BETWEEN 0 AND 9999',
      'id BETWEEN 10000 AND 19999',
      'id BETWEEN 20000 AND 24999',
    ]);
  });

  it('have no condition for an empty list of keys', () => {
    expect([...lookUps('id', [])]).toEqual([]);
  });
});
