// Tests that a value in Postgres' binary form gives the same text and hash as its text form.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromBinary } from '../../src/compare/binary-text.js';
import { canonFromText } from '../../src/compare/column-types.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { postgresText } from '../support/hashed-result.js';
import { TYPES, VALUES } from '../support/result-cases.js';
import { binaryFields, type Value } from '../support/rows.js';

const one = (type: string, value: Value): [binary: string, canon: string] => {
  const shape: Shape = { key: ['v'], columns: [{ name: 'v', type }] };
  const encoder = new RowEncoder(shape, { hashesKey: true });
  encoder.fromBinary(binaryFields([type], [value]), 0);
  const binary = [...encoder.key, ...encoder.row.slice(0, 2)].join();
  const canon = [canonFromText(type, postgresText(type, value))];
  encoder.keyFromCanon(canon);
  encoder.rowFromCanon(canon);
  return [binary, [...encoder.key, ...encoder.row.slice(0, 2)].join()];
};

describe('a value of COPY BINARY', () => {
  const encodable = TYPES.filter((type) => !['text[]', 'interval'].includes(type));

  it.each(encodable)(
    'of type %s decodes to the canonical form of the text that Postgres prints',
    (type) => {
      fc.assert(
        fc.property(VALUES[type]!, (value) => {
          const field = binaryFields([type], [value]);
          const found = canonFromBinary(type, field, 4, field.length - 4);
          expect(found).toBe(canonFromText(type, postgresText(type, value)));
        }),
      );
    },
  );

  it.each(encodable)(
    'of type %s has the same hash as its canonical text, and NULL has a different hash',
    (type) => {
      fc.assert(
        fc.property(VALUES[type]!, (value) => {
          const [binary, canon] = one(type, value);
          expect(canon).toBe(binary);
          expect(one(type, null)).not.toContain(binary);
        }),
      );
      expect(one(type, null)[0]).toBe(one(type, null)[1]);
    },
  );

  it.each([
    ['date', 4, -(2n ** 31n), '-infinity'],
    ['date', 4, 2n ** 31n - 1n, 'infinity'],
    ['date', 4, -2_451_545n, '-4713-11-24'],
    ['date', 4, 2_145_031_948n, '5874897-12-31'],
    ['date', 4, -730_426n, '0000-02-29'],
    ['timestamp', 8, -(2n ** 63n), '-infinity'],
    ['timestamptz', 8, 2n ** 63n - 1n, 'infinity'],
    ['timestamp', 8, -211_813_488_000_000_000n, '-4713-11-24 00:00:00'],
    ['timestamp', 8, 9_223_371_331_199_999_999n, '294276-12-31 23:59:59.999999'],
    ['timestamp', 8, -1n, '1999-12-31 23:59:59.999999'],
    ['time', 8, 86_400_000_000n, '24:00:00'],
    ['oid', 4, -1n, '4294967295'],
  ])(
    'of type %s in %d bytes, with the raw value %s, decodes to %s',
    (type, width, raw, expected) => {
      const bytes = Buffer.alloc(4 + width);
      bytes.writeInt32BE(width);
      if (width === 4) bytes.writeInt32BE(Number(raw), 4);
      else bytes.writeBigInt64BE(raw, 4);
      expect(canonFromBinary(type, bytes, 4, width)).toBe(expected);
      const shape: Shape = { key: ['v'], columns: [{ name: 'v', type }] };
      const [canon, binary] = [0, 1].map(() => new RowEncoder(shape, { hashesKey: true }));
      canon!.rowFromCanon([expected]);
      binary!.fromBinary(bytes, 0);
      expect(canon!.row).toEqual(binary!.row);
    },
  );
});
