// The WebAssembly kernel and the TypeScript reference give the same result for every value, record
// and row, including hostile ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { compileKernel } from '../../../scripts/kernel.mjs';
import { KERNEL } from '../../../src/compare/kernel/wasm.js';
import { JSON_FORMS, hostileJson } from '../../support/json-forms.js';
import { encodeBoth, hashBoth, type TopicRecord } from '../../support/kernel-pairs.js';
import { envelope } from '../../support/rows.js';

const TYPES =
  'bool int2 int4 int8 oid numeric float4 float8 text varchar enum json jsonb bpchar bytea uuid date time timestamp timestamptz char citext xml inet cidr macaddr macaddr8'.split(
    ' ',
  );
const shapeOf = (type: string): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type },
  ],
});

/** Forms of a type that are defined for a similar one. */
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
};
const digits = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.nat(9), { minLength: 1, maxLength: most }).map((list) => list.join(''));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(22),
    fc.option(digits(22), { nil: null }),
    fc.option(fc.integer({ min: -330, max: 330 }), { nil: null }),
  )
  .map(
    ([sign, whole, fraction, power]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power === null ? '' : `E${power}`}`,
  );
/** Letters that a JSON string has in all kinds of forms: plain, escaped, in pairs and halves. */
const letters = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom('\\n', '\\u0041', '\\ud83d\\ude00', '\\ud83d', '\\ude00', '\\u00e9', '\\/'),
      fc.constantFrom(
        '\\ud83d\\ue000',
        '\\ud83d\\u0041',
        '\\ud83d\\n',
        '\\x',
        '\\u12',
        '\\u12g4',
        ' ',
        '\\"',
        '\\\\',
        '}',
        '{',
        ',',
        '\\u0000',
      ),
    ),
    { maxLength: 12 },
  )
  .map((list) => `"${list.join('')}"`);
const anyDouble = fc.double().map((value) => JSON.stringify(value));
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
  it('is encoded as the reference encodes it', () => {
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
  it('is hashed as the reference hashes it, whatever its bytes and their number', () => {
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

const WIDE: Shape = {
  key: ['id', 'k'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'k', type: 'text' },
    { name: 'a long name "quoted" ünusual', type: 'text' },
    { name: 'n', type: 'numeric' },
    { name: 'at', type: 'timestamptz' },
    { name: 'f', type: 'float8' },
    { name: 'b', type: 'bool' },
  ],
};
const NAMES = WIDE.columns.map(({ name }) => name);

const wide = fc
  .record({
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    k: letters,
    text: letters,
    n: number,
    f: anyDouble,
    op: fc.constantFrom<'r' | 'c' | 'u' | 'd'>('r', 'c', 'u', 'd'),
    isShuffled: fc.boolean(),
    extra: fc.constantFrom(
      '',
      '"x":[1,{"id":2}],',
      '"id":3,',
      '"\\u0069d":4,',
      '"é":5,',
      '"k" :6,',
    ),
  })
  .map(({ id, k, text, n, f, op, isShuffled, extra }): { key: Buffer; value: Buffer } => {
    const values = [id, k, text, `"${n}"`, '"2026-11-22T10:00:00.5Z"', f, 'true'];
    const members = NAMES.map((name, at) => `${JSON.stringify(name)}:${values[at]}`);
    if (isShuffled) members.reverse();
    return {
      key: Buffer.from(`{"id":${id},"k":${k}}`),
      value: envelope(op, `{${extra}${members.join(',')}}`, Number(id.slice(-4)) + 2 ** 33),
    };
  });

const HOSTILE_BYTES = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x20, 0, 0x0a, 0x2d, 0xff, 0xc3,
];

/** Generates bytes of which a few are changed, added, removed or cut off. */
const edits = fc.array(
  fc.tuple(
    fc.nat(),
    fc.constantFrom('change', 'add', 'drop', 'cut', 'twice'),
    fc.oneof(fc.constantFrom(...HOSTILE_BYTES), fc.integer({ min: 0, max: 255 })),
  ),
  { maxLength: 3 },
);

function edited(bytes: Buffer, list: readonly (readonly [number, string, number])[]): Buffer {
  let out = bytes;
  for (const [n, kind, byte] of list) {
    const at = n % (out.length + 1);
    const rest = out.subarray(kind === 'add' || kind === 'twice' ? at : at + 1);
    const middle = kind === 'twice' ? out.subarray(Math.max(0, at - 20), at) : Buffer.from([byte]);
    out = Buffer.concat([
      out.subarray(0, at),
      kind === 'drop' || kind === 'cut' ? Buffer.alloc(0) : middle,
      kind === 'cut' ? Buffer.alloc(0) : rest,
    ]);
  }
  return out;
}

describe('a record', () => {
  it('gives the change of the reference, whatever bytes are changed, added, lost or repeated', () => {
    const hostile = fc
      .tuple(wide, edits, edits, fc.boolean())
      .map(([{ key, value }, onKey, onValue, isKeySafe]) => ({
        key: isKeySafe ? key : edited(key, onKey),
        value: edited(value, onValue),
      }));
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('}', '"', ',', '', '\0'),
        fc.boolean(),
        (records, between, isCopied) => {
          const { kernel, reference } = encodeBoth(WIDE, records, { between, isCopied });
          expect(kernel).toEqual(reference);
        },
      ),
      { numRuns: 600 },
    );
  });

  it('is checked against its partition as the reference does', () => {
    fc.assert(
      fc.property(
        fc.array(wide, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 3 }),
        (records, partition) => {
          const { kernel, reference } = encodeBoth(WIDE, records, { partition, partitions: 3 });
          expect(kernel).toEqual(reference);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('the committed kernel', () => {
  it('is what the compiler makes from its sources', async () => {
    expect(KERNEL === (await compileKernel()).toString('base64')).toBe(true);
  });
});
