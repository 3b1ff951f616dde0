// Tests the two ways to compare rows: by hash, and value by value as canonical text. Both ways must
// agree for every value, including hostile values. The file also tests the canonical text,
// tolerances, arrays and long numbers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText, isProvable } from '../../src/compare/column-types.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { EnvelopeScanner } from '../../src/compare/enc/envelope.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { parseJsonLossless } from '../../src/compare/json.js';
import { withinTolerance } from '../../src/compare/tolerance.js';
import { JSON_FORMS, hostileJson } from '../support/json-forms.js';

const shapeOf = (type: string) => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type },
  ],
});

/**
 * Returns how the comparison by hash encodes a JSON value, or null if the value cannot be decoded.
 */
function byHash(type: string, json: string): string | null {
  const shape = shapeOf(type);
  const [encoder, scanner] = [new RowEncoder(shape), new EnvelopeScanner(shape)];
  const image = Buffer.from(`{"id":1,"v":${json}}`);
  scanner.scanObject(image, 0, image.length);
  encoder.rowFromJson(image, scanner);
  return encoder.row[0] === 0 && encoder.row[1] === 0 ? null : encoder.row.join();
}

/**
 * Returns how the comparison value by value encodes a JSON value, or null if the value cannot be
 * decoded.
 */
function byRow(type: string, json: string): string | null {
  try {
    return JSON.stringify(canonFromJson(type, parseJsonLossless(json)));
  } catch (error) {
    if (error instanceof Undecodable) return null;
    throw error;
  }
}

function agree(type: string, a: string, b: string): void {
  expect({ json: a, unknown: byHash(type, a) === null }).toEqual({
    json: a,
    unknown: byRow(type, a) === null,
  });
  if (byHash(type, a) === null || byHash(type, b) === null) return;
  expect({ a, b, equal: byHash(type, a) === byHash(type, b) }).toEqual({
    a,
    b,
    equal: byRow(type, a) === byRow(type, b),
  });
}

describe.each(Object.keys(JSON_FORMS))('a value of type %s', (type) => {
  it('can be hashed if and only if it can be compared by value, and both ways find the same values equal', () => {
    for (const a of JSON_FORMS[type]!) for (const b of JSON_FORMS[type]!) agree(type, a, b);
    fc.assert(
      fc.property(hostileJson(type), hostileJson(type), (a, b) => agree(type, a, b)),
      { numRuns: 1000 },
    );
  });
});

describe('the canonical text', () => {
  it.each([
    ['date', '0044-03-15 BC', '-0043-03-15Z'],
    ['date', '0001-12-31 BC', '0000-12-31Z'],
    ['date', '10000-01-01', '+10000-01-01Z'],
    ['date', '5874897-12-31', '+5874897-12-31Z'],
    ['timestamptz', '0099-12-31 23:59:59.5+00 BC', '-0098-12-31T23:59:59.500000Z'],
    ['timestamp', '4714-11-24 00:00:00 BC', '-4713-11-24T00:00:00Z'],
    ['timestamptz', '15000-06-30 12:00:00+00', '+15000-06-30T12:00:00.000000Z'],
    ['timestamptz', '-infinity', '-infinity'],
    ['numeric', 'Infinity', 'POSITIVE_INFINITY'],
    ['time', '24:00:00', '24:00:00Z'],
  ])('of the %s %s is the same as for the text %s that Debezium writes', (type, text, json) => {
    expect(canonFromText(type, text)).toBe(canonFromJson(type, json));
  });

  it('distinguishes years BC from years AD', () => {
    expect(canonFromText('date', '0044-03-15 BC')).not.toBe(canonFromJson('date', '0044-03-15Z'));
  });
});

describe('a tolerance', () => {
  it.each([
    ['5e-8', '5.00000000001e-8', '0.000001', true],
    ['5e-8', '-5e-8', '0.0000001', true],
    ['5e-8', '-5.1e-8', '0.0000001', false],
    ['1e+22', '10000000000000000000001', '1', true],
    ['1.5e+22', '15000000000000000000002', '1', false],
    ['5e-324', '0', '0.000001', true],
    ['NaN', '5e-8', '1', false],
    ['Infinity', '1e+308', '1', false],
  ])('compares %s and %s within %s as numbers in any notation: %s', (a, b, abs, within) => {
    expect(withinTolerance(a, b, abs)).toBe(within);
  });
});

describe('an array', () => {
  it('cannot be proven if the connector omits arrays of its type, or writes NULL instead of some arrays', () => {
    expect(
      [
        'interval[]',
        'xml[]',
        'domain[]',
        'enum[]',
        'composite[]',
        'money[]',
        'name[]',
        'int2vector',
      ].filter(isProvable),
    ).toEqual([]);
    expect(
      ['int4[]', 'text[]', 'uuid[]', 'timestamptz[]', 'bytea[]'].filter(
        (type) => !isProvable(type),
      ),
    ).toEqual([]);
  });
});

describe('a number of very many digits', () => {
  it('is read in linear time', () => {
    const long = `0.${'0'.repeat(200_000)}1`;
    // quadratic time would take minutes
    expect(canonFromJson('numeric', JSON.stringify(long).slice(1, -1))).toBe(long);
  });
});
