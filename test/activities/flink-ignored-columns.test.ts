// Tests the regular expression with which Flink removes the columns that a comparison ignores.
// JavaScript has no possessive quantifiers. They only save time here, so the test leaves them out.
import { describe, expect, it } from 'vitest';
import { rowMember } from '../../src/connectors/flink-compare.js';

const without = (name: string, row: string): string =>
  row.replaceAll(new RegExp(rowMember(name).replaceAll('*+', '*'), 'g'), '');

describe('a column that is not compared', () => {
  it.each([
    ['first', '{"a":1,"b":2}', '{"b":2}'],
    ['last', '{"b":2,"a":"x,\\"a\\":1}"}', '{"b":2}'],
    ['in the middle', '{"b":2,"a":[1,"]"],"c":{"d":"}"}}', '{"b":2,"c":{"d":"}"}}'],
    ['alone', '{"a":null}', '{}'],
    ['an object', '{"b":2,"a":{"x":1,"y":2},"c":3}', '{"b":2,"c":3}'],
  ])('is removed, with at most one comma, if it is %s', (_where, row, expected) => {
    expect(without('a', row)).toBe(expected);
  });

  it.each([
    '{"id":1,"geom":{"wkb":"AQE=","srid":4326,"extensions":null},"b":1}',
    '{"id":1,"geom":{"srid":4326,"wkb":"AQE="}}',
    '{"geom":{"wkb":"AQE="},"b":"x"}',
    '{"t":"\\"wkb\\":1"}',
  ])("is not confused with a member of a different column's value: %s", (row) => {
    expect(without('wkb', row)).toBe(row);
    const wider = row.replace('{', '{"wkb":"other",');
    expect(without('wkb', wider)).toBe(row);
    expect(without('wkb', row.replace(/\}$/, ',"wkb":null}'))).toBe(row);
  });
});
