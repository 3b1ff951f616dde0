// Tests the canonical form of geometry and geography. A function of this file writes bytes as
// PostGIS does, so that the tested code does not produce its own input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromBinary } from '../../src/compare/binary-text.js';
import { canonFromJson, canonFromText } from '../../src/compare/column-types.js';
import { EnvelopeScanner } from '../../src/compare/enc/envelope.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { literalOf } from '../../src/compare/literal.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { TOAST_PLACEHOLDER } from '../../src/domain/values/toast-placeholder.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { columnWriters } from '../../src/compare/write-debezium-json.js';

interface Drawn {
  /** 1 is a point, 2 a line, 3 a polygon, and 7 a collection. */
  readonly kind: number;
  readonly numbers: readonly number[];
  readonly parts: readonly Drawn[];
}

const Z = 0x8000_0000;
const M = 0x4000_0000;
const WITH_SRID = 0x2000_0000;

function wkbOf({ kind, numbers, parts }: Drawn, flags: number, srid: number | null): Buffer {
  const head = Buffer.alloc(srid === null ? 5 : 9);
  head[0] = 1;
  head.writeUInt32LE((kind + flags + (srid === null ? 0 : WITH_SRID)) >>> 0, 1);
  if (srid !== null) head.writeInt32LE(srid, 5);
  const count = (n: number): Buffer => Buffer.of(n & 255, n >> 8, 0, 0);
  const doubles = Buffer.alloc(numbers.length * 8);
  numbers.forEach((number, at) => doubles.writeDoubleLE(number, at * 8));
  const inner = parts.map((part) => wkbOf(part, flags, null));
  if (kind === 1) return Buffer.concat([head, doubles]);
  if (kind === 3) return Buffer.concat([head, count(1), count(numbers.length / 2), doubles]);
  return Buffer.concat([
    head,
    count(kind === 7 ? inner.length : numbers.length / 2),
    doubles,
    ...inner,
  ]);
}

const coordinate = fc.double();
const leaf = (kind: number, maxLength: number): fc.Arbitrary<Drawn> =>
  fc
    .array(fc.tuple(coordinate, coordinate), { minLength: kind === 1 ? 1 : 0, maxLength })
    .map((points) => ({ kind, numbers: points.flat(), parts: [] }));
const { shape } = fc.letrec<{ shape: Drawn }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3 },
    leaf(1, 1),
    leaf(2, 5),
    leaf(3, 5),
    fc.array(tie('shape'), { maxLength: 4 }).map((parts) => ({ kind: 7, numbers: [], parts })),
  ),
}));
const srids = fc.option(fc.constantFrom(4326, 3857, 1, 999_999));
const bytes = fc
  .tuple(shape, fc.constantFrom(0, Z, M, Z + M), srids)
  .map(([drawn, flags, srid]) => ({ wkb: wkbOf(drawn, flags, srid), srid }));

const printed = (wkb: Buffer): string => wkb.toString('hex').toUpperCase();
const record = (wkb: Buffer, srid: number | null): object => ({
  wkb: wkb.toString('base64'),
  srid,
  extensions: null,
});

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type: 'geometry' },
  ],
};
const hash = (fill: (encoder: RowEncoder) => void): string => {
  const encoder = new RowEncoder(SHAPE);
  fill(encoder);
  return encoder.row.join();
};

function hashOfBinary(wkb: Buffer): string {
  const head = Buffer.of(0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0);
  head.writeInt32BE(wkb.length, 8);
  return hash((encoder) => void encoder.fromBinary(Buffer.concat([head, wkb]), 0));
}

function hashOfJson(value: unknown): string {
  const image = Buffer.from(JSON.stringify({ id: 7, v: value }));
  const scanner = new EnvelopeScanner(SHAPE);
  scanner.scanObject(image, 0, image.length);
  return hash((encoder) => encoder.rowFromJson(image, scanner));
}

const UNKNOWN = '0,0,0,0';

/** Output of PostGIS 3.3 on Postgres 15. Its binary form (`geometry_send`) has the same bytes. */
const PRINTED: readonly (readonly [shape: string, srid: number | null, text: string])[] = [
  ['POINT(1 2)', null, '0101000000000000000000F03F0000000000000040'],
  ['POINT(-0 1e-7)', 4326, '0101000020E6100000000000000000008048AFBC9AF2D77A3E'],
  ['POINT Z (1 2 3)', null, '0101000080000000000000F03F00000000000000400000000000000840'],
  [
    'POINT ZM (1 2 3 4)',
    4326,
    '01010000E0E6100000000000000000F03F000000000000004000000000000008400000000000001040',
  ],
  ['POINT EMPTY', null, '0101000000000000000000F87F000000000000F87F'],
  ['GEOMETRYCOLLECTION EMPTY', null, '010700000000000000'],
  [
    'GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))',
    4326,
    '0107000020E6100000020000000101000000000000000000F03F000000000000004001020000000200000000000000000000000000000000000000000000000000F03F000000000000F03F',
  ],
];

describe('a value of PostGIS', () => {
  it('has the same canonical form and hash as text, in COPY BINARY and in a record', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('geometry', 'geography'), ({ wkb, srid }, type) => {
        const canon = canonFromText(type, printed(wkb));
        expect(canonFromJson(type, record(wkb, srid))).toBe(canon);
        expect(canonFromBinary(type, wkb, 0, wkb.length)).toBe(canon);
        const hashed = hash((encoder) => encoder.rowFromCanon(['7', canon]));
        expect(hashed).not.toBe(UNKNOWN);
        expect(hashOfBinary(wkb)).toBe(hashed);
        expect(hashOfJson(record(wkb, srid))).toBe(hashed);
      }),
    );
  });

  it('differs, or is unknown, if one bit of its record differs', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), ({ wkb, srid }, at) => {
        const flipped = Buffer.from(wkb);
        flipped[(at >> 3) % wkb.length]! ^= 1 << (at & 7);
        const differing = record(flipped, srid);
        expect(hashOfJson(differing)).not.toBe(hashOfBinary(wkb));
        try {
          expect(canonFromJson('geometry', differing)).not.toBe(
            canonFromText('geometry', printed(wkb)),
          );
        } catch (error) {
          if (!(error instanceof Undecodable)) throw error;
        }
      }),
    );
  });

  it('is written unchanged by the initial load `copy`; its literal is the text from Postgres', () => {
    fc.assert(
      fc.property(bytes, ({ wkb, srid }) => {
        const [writer] = columnWriters([{ name: 'v', type: 'geometry' }]);
        expect(JSON.parse(writer!.encode(printed(wkb)))).toEqual(record(wkb, srid));
        expect(literalOf('geometry', record(wkb, srid))?.toUpperCase()).toBe(printed(wkb));
      }),
    );
  });

  it.each(PRINTED)(
    'that PostGIS prints for %s with SRID %j equals its record',
    (_shape, srid, text) => {
      const json = record(Buffer.from(text, 'hex'), srid);
      expect(canonFromText('geometry', text)).toBe(canonFromJson('geometry', json));
    },
  );
});

const POINT = 'AQEAACDmEAAAAAAAAAAA8D8AAAAAAAAAQA==';
const BESIDE = { wkb: POINT, srid: 4326, extensions: null };

const DEBEZIUM: readonly (readonly [type: string, printed: string, json: string])[] = [
  [
    'geometry',
    '0101000000000000000000F03F0000000000000040',
    '{"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":null,"extensions":null}',
  ],
  [
    'geometry',
    '0101000020E6100000000000000000008048AFBC9AF2D77A3E',
    '{"wkb":"AQEAACDmEAAAAAAAAAAAAIBIr7ya8td6Pg==","srid":4326,"extensions":null}',
  ],
  [
    'geography',
    '01010000E0E6100000000000000000F03F000000000000004000000000000008400000000000001040',
    '{"wkb":"AQEAAODmEAAAAAAAAAAA8D8AAAAAAAAAQAAAAAAAAAhAAAAAAAAAEEA=","srid":4326}',
  ],
  ['geography', '0102000020E610000000000000', '{"wkb":"AQIAACDmEAAAAAAAAA==","srid":4326}'],
];

describe('a record of real Debezium 3.7', () => {
  it.each(DEBEZIUM)('of type %s has the value that Postgres prints: %s', (type, text, json) => {
    expect(canonFromJson(type, JSON.parse(json))).toBe(canonFromText(type, text));
    expect(columnWriters([{ name: 'v', type }])[0]!.encode(text)).toBe(json);
  });
});

describe('a value that is not of PostGIS', () => {
  it.each<[string, unknown]>([
    ['a different SRID than its bytes', { ...BESIDE, srid: 3857 }],
    ['no SRID', { ...BESIDE, srid: null }],
    ['an absent SRID', { wkb: POINT }],
    ['the name of a native type', { ...BESIDE, extensions: { type: 'polygon' } }],
    ['no bytes', { ...BESIDE, wkb: '' }],
    ['too few bytes', { ...BESIDE, wkb: 'AQEAAAA=', srid: null }],
    ['no valid byte order', { ...BESIDE, wkb: 'BwEAACDmEAAAAAAAAAAA8D8AAAAAAAAAQA==' }],
    ['bytes that are not base64', { ...BESIDE, wkb: '!QEAACDmEAAAAAAAAAAA8D8AAAAAAAAAQA==' }],
    ['bytes in hex', '0101000020E6100000000000000000F03F0000000000000040'],
    ["Debezium's placeholder of a TOAST value", TOAST_PLACEHOLDER],
    ['this placeholder instead of bytes', { ...BESIDE, wkb: TOAST_PLACEHOLDER }],
    ['a list instead of an object', [BESIDE]],
    ['a number instead of an object', 7],
  ])('is unknown by value and by hash if it has %s', (_name, value) => {
    expect(() => canonFromJson('geometry', value)).toThrow(Undecodable);
    expect(hashOfJson(value)).toBe(UNKNOWN);
  });

  it.each(['', '01', 'POINT(1 2)', '0101000020E61', '07010000000000000000'])(
    'is unknown if Postgres printed %j',
    (text) => expect(() => canonFromText('geometry', text)).toThrow(Undecodable),
  );
});
