// Generates columns of a result as a pipeline may write them in Avro. Each column has a Postgres
// type, a schema, the bytes of a value, and the same value as a text that Postgres can read.
import fc from 'fast-check';
import { branch, bytes, double, float, long, string } from './avro-bytes.js';

export interface AvroColumn {
  readonly type: string;
  readonly schema: unknown;
  readonly encoded: Buffer;
  /** The text is null if the value is NULL. */
  readonly text: string | null;
}

/** Encodes a whole number in two's complement, in as few bytes as possible or in `size` bytes. */
export function unscaled(value: bigint, size?: number): Buffer {
  let length = size ?? 1;
  while (size === undefined && BigInt.asIntN(length * 8, value) !== value) length += 1;
  const hex = BigInt.asUintN(length * 8, value).toString(16);
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex');
}

const pointed = (value: bigint, scale: number): string => {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const sign = value < 0n ? '-' : '';
  return scale === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};

const two = (value: number): string => String(value).padStart(2, '0');

/** Formats a time of 1 AD to 9999 AD as a text that Postgres can read. */
function stamp(micros: bigint): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const at = new Date(Number((micros - rest) / 1000n));
  const day = `${String(at.getUTCFullYear()).padStart(4, '0')}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${day} ${time}.${String(rest).padStart(6, '0')}`;
}

const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896];
const [FIRST_MS, LAST_MS] = [-62_135_596_800_000n, 253_402_300_799_999n];
const DAY_MS = 86_400_000;
const isSafe = (scale: number): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: -(10n ** BigInt(18 + scale)), max: 10n ** BigInt(18 + scale) });
const clock = (micros: number): string => stamp(BigInt(micros)).slice(11);

function column<T>(
  types: readonly string[],
  values: fc.Arbitrary<T>,
  schema: unknown,
  encode: (value: T) => Buffer,
  text: (value: T) => string,
): fc.Arbitrary<AvroColumn> {
  return fc.tuple(fc.constantFrom(...types), values).map(([type, value]) => ({
    type,
    schema,
    encoded: encode(value),
    text: type === 'timestamptz' ? `${text(value)}+00` : text(value),
  }));
}

const logical = (type: string, logicalType: string, more: object = {}): object => ({
  type,
  logicalType,
  ...more,
});
const ms = fc.bigInt({ min: FIRST_MS, max: LAST_MS });
const us = fc.bigInt({ min: FIRST_MS * 1000n, max: LAST_MS * 1000n });
const stamps = ['timestamp', 'timestamptz'];

const decimal = (scale: number): fc.Arbitrary<AvroColumn>[] => [
  column(
    ['numeric'],
    isSafe(scale),
    logical('bytes', 'decimal', { precision: 40, scale }),
    (value) => bytes(unscaled(value)),
    (value) => pointed(value, scale),
  ),
  column(
    ['numeric'],
    isSafe(scale),
    logical('fixed', 'decimal', { name: `F${scale}`, size: 16, precision: 38, scale }),
    (value) => unscaled(value, 16),
    (value) => pointed(value, scale),
  ),
];

const VALUES: readonly fc.Arbitrary<AvroColumn>[] = [
  column(['int8'], fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 'long', long, String),
  column(['int2', 'int4'], fc.integer({ min: -32768, max: 32767 }), 'int', long, String),
  column(['numeric'], fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 'long', long, String),
  ...decimal(0),
  ...decimal(2),
  ...decimal(9),
  column(
    ['numeric'],
    isSafe(4),
    'string',
    (v) => string(pointed(v, 4)),
    (v) => pointed(v, 4),
  ),
  column(
    ['bool'],
    fc.boolean(),
    'boolean',
    (v) => Buffer.from([v ? 1 : 0]),
    (v) => (v ? 't' : 'f'),
  ),
  column(['float8'], fc.double(), 'double', double, String),
  column(['float4'], fc.float(), 'float', float, String),
  column(['text', 'varchar'], fc.string({ unit: 'grapheme' }), 'string', string, (v) => v),
  column(
    ['bytea'],
    fc.uint8Array({ maxLength: 20 }),
    'bytes',
    (v) => bytes(Buffer.from(v)),
    (v) => `\\x${Buffer.from(v).toString('hex')}`,
  ),
  column(['uuid'], fc.uuid(), logical('string', 'uuid'), string, (v) => v),
  column(
    ['uuid'],
    fc.uuid(),
    logical('fixed', 'uuid', { name: 'U', size: 16 }),
    (v) => Buffer.from(v.replaceAll('-', ''), 'hex'),
    (v) => v,
  ),
  column(
    ['date'],
    fc.integer({ min: FIRST_DAY, max: LAST_DAY }),
    logical('int', 'date'),
    long,
    (v) => stamp(BigInt(v) * BigInt(DAY_MS) * 1000n).slice(0, 10),
  ),
  column(stamps, ms, logical('long', 'timestamp-millis'), long, (v) => stamp(v * 1000n)),
  column(stamps, us, logical('long', 'timestamp-micros'), long, stamp),
  column(stamps, us, logical('long', 'local-timestamp-micros'), long, stamp),
  column(
    stamps,
    fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
    logical('long', 'timestamp-nanos'),
    (v) => long(v * 1000n),
    stamp,
  ),
  column(['time'], fc.nat(DAY_MS - 1), logical('int', 'time-millis'), long, (v) => clock(v * 1000)),
  column(['time'], fc.nat(DAY_MS * 1000 - 1), logical('long', 'time-micros'), long, clock),
  column(
    ['enum'],
    fc.constantFrom('sad', 'ok'),
    { type: 'enum', name: 'Mood', symbols: ['sad', 'ok'] },
    (v) => long(v === 'sad' ? 0 : 1),
    (v) => v,
  ),
  column(
    ['int4[]'],
    fc.array(fc.option(fc.integer()), { maxLength: 5 }),
    { type: 'array', items: ['null', 'int'] },
    (v) =>
      Buffer.concat([
        ...(v.length === 0 ? [] : [long(v.length)]),
        ...v.map((item) => (item === null ? branch(0) : branch(1, long(item)))),
        long(0),
      ]),
    (v) => `{${v.map((item) => item ?? 'NULL').join(',')}}`,
  ),
];

/** Generates a value that may be NULL. In its union, `null` is the first or the second branch. */
const nullable = (value: fc.Arbitrary<AvroColumn>): fc.Arbitrary<AvroColumn> =>
  fc.tuple(value, fc.boolean(), fc.boolean()).map(([made, isNull, isNullFirst]) => ({
    type: made.type,
    schema: isNullFirst ? ['null', made.schema] : [made.schema, 'null'],
    encoded: branch(isNull === isNullFirst ? 0 : 1, isNull ? Buffer.alloc(0) : made.encoded),
    text: isNull ? null : made.text,
  }));

export const avroColumn: fc.Arbitrary<AvroColumn> = fc.oneof(...VALUES, ...VALUES.map(nullable));
