// Builds a row in the forms of both sides: Postgres sends COPY BINARY with the ctid, and the topic
// has Debezium's JSON. This code follows the descriptions of the formats. It does not use the
// tested code, because that code must not check itself. Other functions pass records to a fold, and
// generate random numbers.

export type Value = string | number | boolean | null;

const i16 = (n: number): Buffer => {
  const b = Buffer.alloc(2);
  b.writeInt16BE(n);
  return b;
};
const i32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeInt32BE(n);
  return b;
};
const i64 = (n: bigint): Buffer => {
  const b = Buffer.alloc(8);
  b.writeBigInt64BE(n);
  return b;
};

const DAY_MS = 86_400_000;
const Y2000 = Date.UTC(2000, 0, 1);

function numeric(text: string): Buffer {
  const special: Record<string, number> = { NaN: 0xc000, Infinity: 0xd000, '-Infinity': 0xf000 };
  if (text in special)
    return Buffer.concat([i16(0), i16(0), Buffer.from([special[text]! >> 8, 0]), i16(0)]);
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)!;
  const left = whole!
    .replace(/^0+/, '')
    .padStart(Math.ceil(whole!.replace(/^0+/, '').length / 4) * 4, '0');
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  let groups = (left + right).match(/\d{4}/g)?.map(Number) ?? [];
  let weight = left.length / 4 - 1;
  while (groups[0] === 0) [groups, weight] = [groups.slice(1), weight - 1];
  while (groups.at(-1) === 0) groups = groups.slice(0, -1);
  if (groups.length === 0) weight = 0;
  const negative = sign === '-' && groups.length > 0;
  return Buffer.concat([
    i16(groups.length),
    i16(weight),
    Buffer.from([negative ? 0x40 : 0, 0]),
    i16(fraction.length),
    ...groups.map(i16),
  ]);
}

/** Returns the microseconds from 2000 to a time such as `2026-11-22T10:00:00.123456Z`. */
function micros(iso: string): bigint {
  const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(iso)!;
  return (
    (BigInt(Date.parse(`${seconds}Z`)) - BigInt(Y2000)) * 1000n + BigInt(fraction.padEnd(6, '0'))
  );
}

function field(type: string, value: Exclude<Value, null>): Buffer {
  const text = String(value);
  switch (type) {
    case 'bool':
      return Buffer.from([value === true ? 1 : 0]);
    case 'int2':
      return i16(Number(value));
    case 'int4':
      return i32(Number(value));
    case 'int8':
      return i64(BigInt(text));
    case 'numeric':
      return numeric(text);
    case 'float8': {
      const b = Buffer.alloc(8);
      b.writeDoubleBE(Number(value));
      return b;
    }
    case 'date':
      return i32((Date.parse(`${text}T00:00:00Z`) - Y2000) / DAY_MS);
    case 'timestamptz':
      return i64(micros(text));
    case 'uuid':
      return Buffer.from(text.replaceAll('-', ''), 'hex');
    case 'bytea':
      return Buffer.from(text, 'hex');
    case 'jsonb':
      return Buffer.concat([Buffer.from([1]), Buffer.from(text)]);
    default:
      return Buffer.from(text);
  }
}

/** Encodes fields with their lengths, as they follow the field count in a COPY BINARY row. */
export function binaryFields(types: readonly string[], row: readonly Value[]): Buffer {
  return Buffer.concat(
    types.flatMap((type, at) => {
      const value = row[at]!;
      if (value === null) return [i32(-1)];
      const bytes = field(type, value);
      return [i32(bytes.length), bytes];
    }),
  );
}

/**
 * Encodes a row as `HashComparison` reads it: the ctid as the first field, then the other fields.
 */
export const binaryRow = (types: readonly string[], row: readonly Value[], at = 1): Buffer =>
  Buffer.concat([i32(6), i32(at), i16(1), binaryFields(types, row)]);

/** Prints one value as Debezium does with Sluice's settings. */
export function jsonValue(type: string, value: Value): string {
  if (value === null) return 'null';
  if (['int2', 'int4', 'int8', 'bool'].includes(type)) return String(value);
  if (type === 'float8') return Number.isFinite(value) ? String(value) : `"${String(value)}"`;
  if (type === 'bytea') return JSON.stringify(Buffer.from(String(value), 'hex').toString('base64'));
  return JSON.stringify(String(value));
}

export const jsonImage = (
  names: readonly string[],
  types: readonly string[],
  row: readonly Value[],
): string =>
  `{${names.map((name, at) => `${JSON.stringify(name)}:${jsonValue(types[at]!, row[at]!)}`).join(',')}}`;

/** Builds the value of a Debezium record. */
export function envelope(op: 'r' | 'c' | 'u' | 'd', image: string, txId: number): Buffer {
  const [before, after] = op === 'd' ? [image, 'null'] : ['null', image];
  return Buffer.from(
    `{"before":${before},"after":${after},"source":{"version":"3.7.0.Final","connector":"postgresql","name":"p","snapshot":"false","db":"d","schema":"public","table":"t","txId":${txId},"lsn":1,"xmin":null},"transaction":null,"op":"${op}","ts_ms":1}`,
  );
}

/** Returns a generator of uniform random numbers in [0, 1): mulberry32 with this seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A fold of a table's topic. */
interface TakesRecords<S> {
  /** Takes the offset, the bytes, the ranges of key and value in the bytes, and the snapshot. */
  add(...record: [number, Buffer, number, number, number, number, S]): unknown;
}

/**
 * Passes a record to a fold as a reader of the topic does. A null value is a tombstone; a null key
 * means no key.
 */
export function feed<S>(
  fold: TakesRecords<S>,
  key: string | null,
  value: Buffer | string | null,
  snapshot: S,
  offset = 0,
): void {
  const head = Buffer.from(key ?? '');
  const body = value === null ? Buffer.alloc(0) : Buffer.from(value);
  const start = value === null ? -1 : head.length;
  fold.add(
    offset,
    Buffer.concat([head, body]),
    key === null ? -1 : 0,
    head.length,
    start,
    head.length + body.length,
    snapshot,
  );
}
