// Tests how the size of a payload is measured, and how a list is cut to a size.
import { describe, expect, it } from 'vitest';
import { jsonBytes, leading, trailing } from '../../src/domain/values/json-bytes.js';

const items = ['a', 'ж', '\n', '𝄞'].map((character) => [character.repeat(10)]);

describe('the size of a payload', () => {
  it.each([...items, { a: [1, null] }])('is its number of bytes in UTF-8: %j', (item) =>
    expect(jsonBytes(item)).toBe(Buffer.byteLength(JSON.stringify(item))),
  );

  it('limits a list to its first items (at least one) or to its last items', () => {
    expect(leading(items, 38)).toEqual(items.slice(0, 2));
    expect(leading(items, 1)).toEqual(items.slice(0, 1));
    expect(leading([], 1)).toEqual([]);
    expect(trailing(items, 68)).toEqual(items.slice(2));
    expect(trailing(items, 1)).toEqual([]);
    expect(trailing(items, 1000)).toEqual(items);
  });

  it('is measured once for each item of a list that grows', () => {
    let measured = 0;
    const counted = (): object => ({ toJSON: () => (measured += 1) });
    let list: object[] = [];
    for (let size = 1; size <= 50; size += 1) list = trailing([...list, counted()], 10_000);
    expect(list).toHaveLength(50);
    expect(measured).toBe(50);
  });
});
