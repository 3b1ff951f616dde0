// Tests the canonical form of ranges, bits, hstore and money, and the types that Sluice refuses.
// Functions of this file print most values as Postgres and Debezium do, so that the tested code
// does not produce its own input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText, isProvable } from '../../src/compare/column-types.js';
import { literalOf } from '../../src/compare/literal.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { whyUnproven } from '../../src/compare/types/unproven.js';

const agree = (type: string, printed: string, json: unknown): void =>
  expect(canonFromText(type, printed)).toBe(canonFromJson(type, json));
const differ = (type: string, printed: string, json: unknown): void =>
  expect(canonFromText(type, printed)).not.toBe(canonFromJson(type, json));

const word = fc.string({ unit: 'binary' }).filter((t) => !/\p{Surrogate}|\0/u.test(t));
const pairs = fc.uniqueArray(fc.tuple(word, fc.option(word)), { selector: ([key]) => key });
type Pairs = [string, string | null][];

/** Prints an hstore as Postgres does: `"key"=>"value", "other"=>NULL`. */
function hstoreText(list: Pairs): string {
  const quote = (part: string): string =>
    `"${part.split('\\').join('\\\\').split('"').join('\\"')}"`;
  return list.map(([k, v]) => `${quote(k)}=>${v === null ? 'NULL' : quote(v)}`).join(', ');
}
const hstoreJson = (list: Pairs): string =>
  `{${list.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`;

describe('an hstore', () => {
  it('is equal to its JSON in any order of the keys, and to its own SQL literal', () => {
    fc.assert(
      fc.property(pairs, (list) => {
        agree('hstore', hstoreText(list), hstoreJson([...list].reverse()));
        const literal = literalOf('hstore', hstoreJson(list))!;
        expect(canonFromText('hstore', literal)).toBe(canonFromText('hstore', hstoreText(list)));
      }),
    );
  });

  it('differs if one value differs, or if one pair is missing or added', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), word, (list, at, other) => {
        if (list.length === 0) {
          differ('hstore', '', hstoreJson([[other, null]]));
          return;
        }
        const changed = list.map((pair): [string, string | null] => [...pair]);
        const [key, value] = changed[at % list.length]!;
        changed[at % list.length] = value === other ? [key, null] : [key, other];
        differ('hstore', hstoreText(list), hstoreJson(changed));
        differ('hstore', hstoreText(list), hstoreJson(list.slice(1)));
      }),
    );
  });

  it.each(['{"a":1}', '{"a":"1"', '{"a":"1","a":"2"}', '{"a":"1",}', '{"a":{}}', '"a"=>1', 'x'])(
    'cannot be decoded from %s',
    (json) => expect(() => canonFromJson('hstore', json)).toThrow(Undecodable),
  );
});

/**
 * Writes bits as Debezium does. One bit is a boolean. More bits are bytes in base64, the last byte
 * first, without zero bytes at the end.
 */
function bitsJson(bits: string): boolean | string {
  if (bits.length === 1) return bits === '1';
  let number = BigInt(`0b${bits}`);
  const bytes = Array.from({ length: Math.ceil(bits.length / 8) }, () => {
    const byte = Number(number & 255n);
    number >>= 8n;
    return byte;
  });
  while (bytes.at(-1) === 0) bytes.pop();
  return Buffer.from(bytes).toString('base64');
}

describe('a bit(n)', () => {
  it("is equal to its form in Debezium's record, and differs if one bit is flipped", () => {
    const strings = fc.array(fc.constantFrom('0', '1'), { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(strings, fc.nat(), (list, at) => {
        agree('bit', list.join(''), bitsJson(list.join('')));
        const place = at % list.length;
        const flipped = list.map((bit, n) => (n === place ? String(1 - Number(bit)) : bit));
        differ('bit', list.join(''), bitsJson(flipped.join('')));
      }),
    );
  });
});

describe('an amount of money', () => {
  it('in the formats of four locales is equal to its decimal, and differs from other amounts', () => {
    const amounts = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(amounts, fc.nat(3), (cents, locale) => {
        const sign = cents < 0n ? '-' : '';
        const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
        const [units, rest] = [digits.slice(0, -2), digits.slice(-2)];
        const grouped = units.replaceAll(/\B(?=(\d{3})+$)/g, locale % 2 === 0 ? ',' : '.');
        const printed = [
          `${sign}$${grouped}.${rest}`,
          `${sign}${grouped},${rest} €`,
          sign === '' ? `$${grouped}.${rest}` : `($${grouped}.${rest})`,
          `${sign === '' ? '' : '−'}${grouped},${rest} kr`,
        ][locale]!;
        agree('money', printed, `${sign}${units}.${rest}`);
        if (cents !== 0n) differ('money', printed, `${sign === '' ? '-' : ''}${units}.${rest}`);
        differ('money', printed, `${sign}1${units}.${rest}`);
      }),
    );
  });
});

const two = (n: number): string => String(n).padStart(2, '0');

/** Prints an instant as a server does in a zone that is `offset` seconds east of UTC. */
function printed(ms: number, offset: number): string {
  const local = new Date(ms + offset * 1000).toISOString().replace('T', ' ').replace('Z', '');
  const east = Math.abs(offset);
  const parts = [Math.floor(east / 3600), Math.floor(east / 60) % 60, east % 60];
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop();
  return `"${local.replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))}${offset < 0 ? '-' : '+'}${parts.map(two).join(':')}"`;
}

describe('a range of timestamptz', () => {
  it('is equal in every time zone of the connector, and differs if a bound moves by 1 ms', () => {
    const instants = fc.integer({ min: -6e13, max: 2.5e14 });
    const offsets = fc.integer({ min: -15 * 3600, max: 15 * 3600 });
    fc.assert(
      fc.property(instants, instants, offsets, (from, to, offset) => {
        const range = (by: number, zone: number): string =>
          `[${printed(from + by, zone)},${printed(to, zone)})`;
        agree('tstzrange', range(0, 0), range(0, offset));
        differ('tstzrange', range(0, 0), range(1, offset));
      }),
    );
  });

  it.each([
    ['["0044-03-15 12:00:00+00 BC",infinity]', '["0044-03-15 12:53:28+00:53:28 BC",infinity]'],
    ['(,"294276-12-31 23:59:59.999999+00")', '(,"294277-01-01 01:59:59.999999+02")'],
    ['empty', 'empty'],
    ['(,)', '(,)'],
    ['["0001-01-01 00:00:00+00",)', '["0001-12-31 23:00:00-01 BC",)'],
  ])('with the text %s equals the text %s of a connector', (text, json) =>
    agree('tstzrange', text, json),
  );

  it.each(['[1,2)', '["2026-01-01 00:00:00",)', '["2026-02-30 00:00:00+00",)', '[,', ''])(
    'cannot be decoded from %j',
    (json) => expect(() => canonFromJson('tstzrange', json)).toThrow(Undecodable),
  );
});

describe('a type that cannot be proven', () => {
  it.each([
    ['timetz', /offset/],
    ['varbit', /length/],
    ['int4multirange', /omits/],
    ['pg_lsn', /omits/],
    ['composite', /omits/],
    ['floatrange', /not known/],
  ])('is refused, and the reason is given: %s', (type, why) => {
    expect(isProvable(type)).toBe(false);
    expect(whyUnproven(type)).toMatch(why);
  });
});
