// Tests canonical values, tolerances, and JSON that is read without rounding.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText, isProvable } from '../../src/compare/column-types.js';
import { canonicalDecimal } from '../../src/compare/canonical-decimal.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { LongNumber, parseJsonLossless } from '../../src/compare/json.js';
import { withinTolerance } from '../../src/compare/tolerance.js';

describe('canonical values', () => {
  it.each([
    ['numeric', '1.10', '1.1'],
    ['numeric', '-0.00', '0'],
    ['numeric', 'NaN', 'NAN'],
    ['numeric', '1000000', '1E+6'],
    ['bool', 't', true],
    ['int8', '9007199254740993', '9007199254740993'],
    ['float8', '1e+300', 1e300],
    ['float8', 'NaN', 'NaN'],
    ['float4', '0.1', 0.1],
    ['bpchar', 'ab   ', 'ab'],
    ['date', '2024-01-02', '2024-01-02Z'],
    ['timestamp', '2024-01-02 03:04:05.12', '2024-01-02T03:04:05.120Z'],
    ['timestamptz', '2024-01-02 03:04:05+00', '2024-01-02T03:04:05Z'],
    ['time', '03:04:05', '03:04:05Z'],
    ['interval', 'P1Y2M3DT4H5M6.5S', 'P14M3DT4H5M6.5S'],
    ['bytea', '\\xdead', '3q0='],
    ['int4[]', '{1,NULL,3}', [1, null, 3]],
    ['text[]', '{"a b","c\\"d",e}', ['a b', 'c"d', 'e']],
  ])('of type %s are equal for %j in Postgres and %j in a record', (type, text, json) =>
    expect(canonFromText(type, text)).toBe(canonFromJson(type, json)),
  );
  it.each([
    ['numeric', '1.1', '1.11'],
    ['text', 'a', 'a '],
    ['timestamptz', '2024-01-02 03:04:05+00', '2024-01-02T03:04:06Z'],
    ['bytea', '\\xde', '3q0='],
  ])('of type %s differ for %j in Postgres and %j in a record', (type, text, json) =>
    expect(canonFromText(type, text)).not.toBe(canonFromJson(type, json)),
  );
  it.each([
    ['int4', 1.5],
    ['numeric', 1.1],
    ['text', 7],
    ['timestamptz', '2024-01-02T03:04:05+02:00'],
    ['text', '__debezium_unavailable_value'],
    ['text', undefined],
    ['point', { x: 1 }],
    ['timetz', '10:00:00Z'],
  ])('of type %s do not exist for %j in a record', (type, json) =>
    expect(() => canonFromJson(type, json)).toThrow(Undecodable),
  );
  it('do not exist for types whose values lose information on the way to the topic', () =>
    expect(['timetz', 'varbit', 'pg_lsn', 'int4multirange'].some(isProvable)).toBe(false));
  it('of decimals are equal if and only if the decimals are the same number (property)', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.nat(6),
        fc.nat(4),
        (digits, scale, zeros) => {
          const text = (value: bigint): string => {
            const sign = value < 0n ? '-' : '';
            const abs = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
            return scale === 0
              ? `${sign}${abs}`
              : `${sign}${abs.slice(0, -scale)}.${abs.slice(-scale)}`;
          };
          const padded = scale === 0 ? text(digits) : `${text(digits)}${'0'.repeat(zeros)}`;
          expect(canonicalDecimal(padded)).toBe(canonicalDecimal(text(digits)));
          expect(canonicalDecimal(text(digits + 1n))).not.toBe(canonicalDecimal(text(digits)));
        },
      ),
    );
  });
});

describe('tolerances', () => {
  it('are exact decimals, and make neither NULL nor NaN equal to a number', () => {
    expect(withinTolerance('1.00', '1.01', '0.01')).toBe(true);
    expect(withinTolerance('1.00', '1.011', '0.01')).toBe(false);
    expect(withinTolerance(null, '0', '1')).toBe(false);
    expect(withinTolerance('NaN', '0', '1')).toBe(false);
  });
});

describe('lossless JSON', () => {
  it('keeps integers beyond 2^53, and changes no string', () => {
    expect(
      parseJsonLossless(
        '{"id":9007199254740993,"t":"x:12345678901234567890,","n":[-12345678901234567890]}',
      ),
    ).toEqual({
      id: new LongNumber('9007199254740993'),
      t: 'x:12345678901234567890,',
      n: [new LongNumber('-12345678901234567890')],
    });
    expect(parseJsonLossless('{"q":"a\\"1234567890123456789","s":1.5}')).toEqual({
      q: 'a"1234567890123456789',
      s: 1.5,
    });
  });

  it('does not confuse its own form of a long number with a text or an object that looks like it', () => {
    expect(parseJsonLossless('{"n":9007199254740993,"t":"long-number"}')).toEqual({
      n: new LongNumber('9007199254740993'),
      t: 'long-number',
    });
    const escaped = '{"n":9007199254740993,"t":{"long\\u002dnumber":0}}';
    expect(() => parseJsonLossless(escaped)).toThrow(SyntaxError);
  });
});
