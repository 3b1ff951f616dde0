// Tests the encoding enc-v1. Postgres' binary form and Debezium's JSON of one value must give the
// same hash. Two unequal values must give different hashes. The file also tests the key table.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/compare/row-comparison.js';
import { EnvelopeScanner } from '../../src/compare/enc/envelope.js';
import { hash128 } from '../../src/compare/enc/hash.js';
import { KeyTable } from '../../src/compare/enc/key-table.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { Scratch } from '../../src/compare/enc/scratch.js';
import { binaryFields, envelope, jsonImage, random, type Value } from '../support/rows.js';

const shapeOf = (type: string): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type },
  ],
});

/** Returns the hash of a row from Postgres' binary form, and its hash from Debezium's JSON. */
function hashes(
  type: string,
  value: Value,
  json = jsonImage(['id', 'v'], ['int4', type], [1, value]),
): [string, string] {
  const encoder = new RowEncoder(shapeOf(type));
  encoder.fromBinary(binaryFields(['int4', type], [1, value]), 0);
  const binary = encoder.row.slice(0, 2).join();
  const scanner = new EnvelopeScanner(shapeOf(type));
  const record = envelope('c', json, 1);
  scanner.scan(record, 0, record.length);
  encoder.rowFromJson(record, scanner);
  return [binary, encoder.row.slice(0, 2).join()];
}

const digits = fc.stringMatching(/^\d{1,24}$/);
const ARBITRARY: Record<string, fc.Arbitrary<Value>> = {
  bool: fc.boolean(),
  int2: fc.integer({ min: -32768, max: 32767 }),
  int4: fc.integer(),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  numeric: fc.oneof(
    fc
      .tuple(fc.constantFrom('', '-'), digits, fc.option(digits, { nil: undefined }))
      .map(([s, w, f]) => `${s}${w}${f === undefined ? '' : `.${f}`}`),
    fc.constantFrom(
      'NaN',
      'Infinity',
      '-Infinity',
      '0',
      '-0.00',
      '0.0001',
      '10000',
      '99990000.00010000',
    ),
  ),
  float8: fc.double(),
  text: fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', '')),
  jsonb: fc.json(),
  bytea: fc.uint8Array().map((b) => Buffer.from(b).toString('hex')),
  uuid: fc.uuid(),
  date: fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((d) => d.toISOString().slice(0, 10)),
  timestamptz: fc
    .tuple(
      fc.date({
        min: new Date('0001-01-01T00:00:00Z'),
        max: new Date('9999-12-31T00:00:00Z'),
        noInvalidDate: true,
      }),
      fc.integer({ min: 0, max: 999_999 }),
    )
    .map(([d, us]) => `${d.toISOString().slice(0, 19)}.${String(us).padStart(6, '0')}Z`),
};

describe('enc-v1', () => {
  it.each(Object.keys(ARBITRARY))(
    'gives the binary form and the JSON of one %s the same hash, and NULL a different one',
    (type) => {
      fc.assert(
        fc.property(ARBITRARY[type]!, (value) => {
          const [binary, json] = hashes(type, value);
          expect(json).toBe(binary);
          expect(binary).not.toBe('0,0');
          expect(hashes(type, null)[0]).not.toBe(binary);
        }),
        { numRuns: 300 },
      );
    },
  );

  it.each(Object.keys(ARBITRARY))('never encodes two unequal values of type %s equally', (type) => {
    const same = (a: Value, b: Value): boolean => {
      if (type === 'float8') return a === b || (Number.isNaN(a) && Number.isNaN(b));
      if (type === 'numeric') return normal(String(a)) === normal(String(b));
      return a === b;
    };
    fc.assert(
      fc.property(ARBITRARY[type]!, ARBITRARY[type]!, (a, b) => {
        expect(hashes(type, a)[0] === hashes(type, b)[1]).toBe(same(a, b));
      }),
      { numRuns: 300 },
    );
  });

  it('distinguishes moved characters and separators, and NULL, empty text and the word NULL', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'int4' },
        ...['a', 'b', 'c'].map((name) => ({ name, type: 'text' })),
      ],
    };
    const types = ['int4', 'text', 'text', 'text'];
    const rows: Value[][] = [
      [1, 'ab', 'c', ''],
      [1, 'a', 'bc', ''],
      [1, 'a', 'b', 'c'],
      [1, 'a|b', 'c', ''],
      [1, 'a', 'b|c', ''],
      [1, null, 'x', ''],
      [1, '', 'x', ''],
      [1, 'NULL', 'x', ''],
      [1, '<null>', 'x', ''],
      [1, 'x', null, ''],
    ];
    const encoder = new RowEncoder(shape);
    const seen = rows.map((row) => {
      encoder.fromBinary(binaryFields(types, row), 0);
      return encoder.row.slice(0, 2).join();
    });
    expect(new Set(seen).size).toBe(rows.length);
  });

  it.each([
    ['an absent field', '{"id":1}'],
    ['a TOAST placeholder', '{"id":1,"v":"__debezium_unavailable_value"}'],
    ['a number instead of a text', '{"id":1,"v":12}'],
    ['an object instead of a text', '{"id":1,"v":{"a":1}}'],
    ['a broken escape', '{"id":1,"v":"\\\\x"}'.replace('\\\\', '\\')],
  ])('treats %s as undecodable, never as equal', (_case, json) => {
    expect(hashes('text', '12', json)[1]).toBe('0,0');
  });

  it('ignores the order of fields, and extra fields', () => {
    const [binary, json] = hashes(
      'text',
      'x',
      '{"extra":{"v":"y","deep":[1,{"a":"]"}]},"v":"x","id":1}',
    );
    expect(json).toBe(binary);
  });
});

/** Converts a number to one spelling, so that equal numbers become equal texts. */
const normal = (text: string): string => {
  if (!/\d/.test(text)) return text;
  const [, sign, whole, fraction] = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text)!;
  const plain = `${whole!.replace(/^0+(?=\d)/, '')}.${fraction ?? ''}`;
  return plain === '0.' ? '0.' : `${sign}${plain}`;
};

describe('the hash', () => {
  it('is MurmurHash3 x86_128', () => {
    const of = (text: string, seed: number): string => {
      const scratch = new Scratch();
      for (const byte of Buffer.from(text)) scratch.u8(byte);
      const out = new Int32Array(4);
      hash128(scratch, seed, out);
      return [...out].map((w) => (w >>> 0).toString(16).padStart(8, '0')).join('');
    };
    expect(of('', 0)).toBe('00000000000000000000000000000000');
    expect(of('I will not buy this record, it is scratched.', 0)).toBe(
      'a0a9683b25ac5e40d9af2895890dddf5',
    );
  });
});

describe('the key table', () => {
  it.each([2, 4] as const)(
    'has the same content as a Map after growth and deletions, with keys of %i 32-bit words',
    (words) => {
      const next = random(words);
      const table = new KeyTable(words);
      const model = new Map<string, number>();
      // This list collects the mistakes, because an assertion for each value would take seconds.
      const wrong: string[] = [];
      for (let step = 0; step < 60_000; step += 1) {
        const n = Math.floor(next() * 6000);
        const key = Int32Array.of(n % 3, n, n ^ 5, 7);
        if (next() < 0.4) {
          if (table.delete(key) !== model.delete(String(n)))
            wrong.push(`delete ${n}, step ${step}`);
        } else {
          table.set(key, step, n);
          model.set(String(n), step);
        }
      }
      expect(table.size).toBe(model.size);
      table.beginPass();
      for (let n = 0; n < 6000; n += 1) {
        const slot = table.find(Int32Array.of(n % 3, n, n ^ 5, 7));
        if (slot >= 0 !== model.has(String(n))) wrong.push(`find ${n}`);
        if (slot < 0) continue;
        if (!table.rowEquals(slot, model.get(String(n))!, n)) wrong.push(`row of ${n}`);
        if (n % 2 === 0 && !(table.mark(slot) && !table.mark(slot))) wrong.push(`mark of ${n}`);
      }
      expect(wrong).toEqual([]);
      expect(table.unmarked(10_000)).toHaveLength(
        [...model.keys()].filter((n) => Number(n) % 2 === 1).length,
      );
    },
  );

  it('has the same digest for the same keys and rows in any order, and a new digest after a change', () => {
    const filled = (order: readonly number[]): KeyTable => {
      const table = new KeyTable(2);
      for (const n of order) table.set(Int32Array.of(0, n, 0, 0), n * 3, n * 5);
      return table;
    };
    const order = Array.from({ length: 2000 }, (_, n) => n);
    const digest = filled(order).digest();
    const other = filled([...order].reverse().concat([9999]));
    other.delete(Int32Array.of(0, 9999, 0, 0));
    expect(other.digest()).toBe(digest);
    other.set(Int32Array.of(0, 7, 0, 0), 21, 36);
    expect(other.digest()).not.toBe(digest);
    expect(filled(order.slice(1)).digest()).not.toBe(digest);
  });
});
