import { describe, expect, it } from 'vitest';
import { jsonBytes, leading, trailing } from '../../src/domain/values/json-bytes.js';

const items = ['a'.repeat(10), 'ж'.repeat(10), '\n'.repeat(10), '𝄞'.repeat(10)];

describe('the size of a payload', () => {
  it.each([...items, { a: [1, null] }])('is its number of bytes in UTF-8: %j', (item) =>
    expect(jsonBytes(item)).toBe(Buffer.byteLength(JSON.stringify(item))),
  );

  it('limits a list to its first items, but at least to one, or to its last items', () => {
    expect(leading(items, 34)).toEqual(items.slice(0, 2));
    expect(leading(items, 1)).toEqual(items.slice(0, 1));
    expect(leading([], 1)).toEqual([]);
    expect(trailing(items, 64)).toEqual(items.slice(2));
    expect(trailing(items, 1)).toEqual([]);
    expect(trailing(items, 1000)).toEqual(items);
  });
});
