// Tests with random values, including hostile ones, that the WebAssembly kernel and the TypeScript
// reference give the same result. The file also compiles the kernel's sources, and compares the
// output with the committed kernel.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { compileKernel } from '../../../scripts/kernel.mjs';
import { KERNEL } from '../../../src/compare/kernel/wasm.js';
import { JSON_FORMS, hostileJson } from '../../support/json-forms.js';
import { anyDouble, letters, number } from '../../support/json-values.js';
import { encodeBoth, hashBoth, type TopicRecord } from '../../support/kernel-pairs.js';
import { envelope } from '../../support/rows.js';

const TYPES =
  'bool int2 int4 int8 oid numeric float4 float8 text varchar enum json jsonb bpchar bytea uuid date time timestamp timestamptz char citext xml inet cidr macaddr macaddr8 int4range tstzrange ltree tsvector bit hstore money point polygon geometry'.split(
    ' ',
  );
const shapeOf = (type: string): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type },
  ],
});

/** Types that use the JSON forms of a similar type. */
const FORMS_OF: Readonly<Record<string, string>> = {
  int2: 'int4',
  timestamptz: 'timestamp',
  varchar: 'text',
  enum: 'text',
  citext: 'text',
  xml: 'text',
  inet: 'text',
  cidr: 'text',
  macaddr: 'text',
  macaddr8: 'text',
  ltree: 'text',
};
const json = (type: string): fc.Arbitrary<string> =>
  fc.oneof(
    hostileJson(FORMS_OF[type] ?? type),
    fc.constantFrom(...JSON_FORMS[FORMS_OF[type] ?? type]!),
    number,
    number.map((text) => `"${text}"`),
    anyDouble,
    letters,
    fc.base64String().map((text) => `"${text}"`),
    fc.json(),
    fc.constantFrom('null', 'nul', 'nothing', 'true', 'trub', 'false', '', ' 1', '1 ', '01', '-'),
  );

const record = (image: string, op: 'r' | 'c' | 'u' | 'd', txId = 7): TopicRecord => ({
  key: '{"id":1}',
  value: envelope(op, image, txId),
});

describe.each(TYPES)('a JSON value of type %s', (type) => {
  it('is encoded by the kernel as the reference encodes it', () => {
    const shape = shapeOf(type);
    fc.assert(
      fc.property(fc.array(json(type), { minLength: 1, maxLength: 20 }), (values) => {
        const records = values.map((value) => record(`{"id":1,"v":${value}}`, 'c'));
        const { kernel, reference } = encodeBoth(shape, records);
        expect(kernel).toEqual(reference);
      }),
      { numRuns: 60 },
    );
  });
});

const field = (type: string): fc.Arbitrary<Buffer | null> => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));
  const width = { bool: 1, int2: 2, int4: 4, oid: 4, float4: 4, date: 4, uuid: 16 }[type] ?? 8;
  const exact = fc
    .oneof(
      fc.uint8Array({ minLength: width, maxLength: width }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => {
        const b = Buffer.alloc(16);
        b.writeBigInt64BE(n, 8);
        return b.subarray(16 - width);
      }),
      fc
        .constantFrom(0x7f, 0x80)
        .map((first) => Buffer.alloc(width, first === 0x7f ? 0xff : 0).fill(first, 0, 1)),
    )
    .map((b) => Buffer.from(b));
  const numeric = fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 9999 }), { maxLength: 6 }),
      fc.integer({ min: -40, max: 40 }),
      fc.constantFrom(0, 0x4000, 0xc000, 0xd000, 0xf000),
      fc.integer({ min: 0, max: 2 }),
    )
    .map(([groups, weight, sign, cut]) => {
      const b = Buffer.alloc(8 + groups.length * 2);
      b.writeUInt16BE(groups.length, 0);
      b.writeInt16BE(weight, 2);
      b.writeUInt16BE(sign, 4);
      groups.forEach((group, at) => b.writeUInt16BE(group % 7 === 0 ? 0 : group, 8 + at * 2));
      return b.subarray(0, b.length - (cut === 2 ? 1 : 0));
    });
  const text = fc
    .string({ unit: 'binary' })
    .map((t) => Buffer.from(`${t}  `.slice(0, t.length + 1)));
  return fc.oneof(
    fc.constant(null),
    bytes,
    exact,
    exact,
    text,
    ...(type === 'numeric' ? [numeric] : []),
  );
};

const rowOf = (fields: readonly (Buffer | null)[], at: number): Buffer => {
  const head = Buffer.alloc(10);
  head.writeInt32BE(6);
  head.writeUInt32BE((at * 0x9e3779b1) >>> 0, 4);
  head.writeUInt16BE(at & 0xffff, 8);
  const parts = fields.flatMap((bytes) => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(bytes === null ? -1 : bytes.length);
    return bytes === null ? [size] : [size, bytes];
  });
  return Buffer.concat([head, ...parts]);
};

const ID = Buffer.from([0, 0, 0, 7]);

describe.each(TYPES)('a binary field of type %s', (type) => {
  it('gets the same hash from the kernel and from the reference, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.array(field(type), { minLength: 1, maxLength: 20 }), (fields) => {
        const rows = fields.map((bytes, at) => rowOf([ID, bytes], at));
        const { kernel, reference } = hashBoth(shapeOf(type), rows);
        expect(kernel).toEqual(reference);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the committed kernel', () => {
  it('is what the compiler makes from its sources', async () => {
    expect(KERNEL === (await compileKernel()).toString('base64')).toBe(true);
  });
});
