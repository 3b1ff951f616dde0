// Writes rows as Debezium's initial load does with the configuration in
// connectors/debezium-postgres.ts. Only the version, the snapshot flag, the transaction, the WAL
// position and the times differ. A contract test compares the records with those of real Debezium.
// `sluice prove` and the engine `flink` use this file to write rows. Sluice's own initial load
// (`connector.snapshot: copy`) uses the faster code of copied/, which must write the same bytes.
import { arrayItems } from './array-text.js';
import {
  INFINITE_DATES,
  INFINITE_TIMES,
  isoInstant,
  isoInstantOfZone,
  isoYear,
  javaFloat,
  javaInterval,
  trimmed,
} from './java-text.js';
import { isCarried, type CaptureFacts, type MaybeGenerated } from '../domain/capture/capture.js';
import { bytesOfBits } from './types/bits.js';
import { FURTHER_TYPES, WITH_ARRAYS } from './types/further-types.js';
import { money } from './types/money.js';
import { postgisJson } from './types/postgis.js';
import { isLeftOut } from './types/unproven.js';
import { Undecodable } from './undecodable.js';

export interface ReplayColumn {
  readonly name: string;
  /** The base type in the catalog. */
  readonly type: string;
}

export interface ReplayTable {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly ReplayColumn[];
  readonly key: readonly string[];
  /** The prefix of the topics, which is Debezium's logical server name. */
  readonly server: string;
  /**
   * The WAL position at which the rows were read, as the number that Debezium's records contain.
   */
  readonly lsn?: bigint;
}

/** Defines how a column's values become the fields of a record. */
export interface Written {
  readonly name: string;
  /** The name as the start of a JSON field. */
  readonly field: string;
  readonly encode: (value: string) => string;
}

/** Throws Undecodable for a type that this file cannot write as Debezium does. */
export const columnWriters = (columns: readonly ReplayColumn[]): Written[] =>
  columns.map(({ name, type }) => ({
    name,
    field: `${JSON.stringify(name)}:`,
    encode: encoderOf(type),
  }));

/** Returns what follows the last field of a row. It is the same for each row of a table. */
export function snapshotEnd(table: ReplayTable, atMs: number): string {
  const times = `"ts_ms":${atMs},"ts_us":${atMs}000,"ts_ns":${atMs}000000`;
  const source = {
    version: 'sluice',
    connector: 'postgresql',
    name: table.server,
    ts_ms: atMs,
    snapshot: 'true',
    db: table.database,
    sequence: null,
    ts_us: atMs * 1000,
    ts_ns: 0,
    schema: table.schema,
    table: table.table,
    txId: 0,
    lsn: 0,
    xmin: null,
    origin: null,
    origin_lsn: null,
  };
  return `},"source":${JSON.stringify(source)
    .replace('"ts_ns":0', `"ts_ns":${atMs}000000`)
    .replace('"lsn":0', `"lsn":${table.lsn ?? 0n}`)},"transaction":null,"op":"r",${times}}`;
}

/**
 * Converts rows in Postgres' text form to records. Throws Undecodable for a type that this file
 * cannot write as Debezium does.
 */
export class SnapshotWriter {
  readonly #columns: readonly Written[];
  readonly #keyOrder: readonly number[];
  readonly #tail: string;

  constructor(table: ReplayTable, atMs: number) {
    this.#columns = columnWriters(table.columns);
    this.#keyOrder = table.key.map((name) => table.columns.findIndex((c) => c.name === name));
    this.#tail = snapshotEnd(table, atMs);
  }

  /**
   * Returns key and value of a row's record. `values` are in the order of the columns. Throws
   * Undecodable, which names the column, for a value that cannot be written.
   */
  record(values: readonly (string | null)[]): { key: string; value: string } {
    const parts: string[] = [];
    let after = '';
    for (const column of this.#columns) {
      const value = values[parts.length];
      const part =
        column.field + (value === null || value === undefined ? 'null' : encoded(column, value));
      after += parts.length === 0 ? part : `,${part}`;
      parts.push(part);
    }
    return {
      key: `{${this.#keyOrder.map((at) => parts[at]).join(',')}}`,
      value: `{"before":null,"after":{${after}${this.#tail}`,
    };
  }
}

/** Encodes a value. The error of a value that cannot be written names the column. */
export function encoded({ name, encode }: Written, value: string): string {
  try {
    return encode(value);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    throw new Undecodable(`column ${name}: ${error.message}`);
  }
}

/**
 * Escapes like Jackson, Debezium's JSON library. Control characters without a short escape become
 * escapes in uppercase hex. A character beyond the basic plane becomes two escapes.
 */
const text = (value: string): string => {
  if (!ESCAPED.test(value)) return `"${value}"`;
  return JSON.stringify(value).replaceAll(/\\u[0-9a-f]{4}|[\ud800-\udfff]/g, (found) =>
    found.length > 1
      ? `\\u${found.slice(2).toUpperCase()}`
      : `\\u${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
};
/** Matches a text with a character that JSON or Jackson escapes. Most texts have none. */
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;
const same = (value: string): string => value;

/**
 * Prints a float. `number` is the value rounded to the precision of the column's type. JSON has no
 * NaN and no infinities, so these become texts.
 */
const float = (value: string, number: number): string =>
  /^(NaN|-?Infinity)$/.test(value) ? text(value) : javaFloat(value, number);

const SPECIAL_NUMERICS: Readonly<Record<string, string>> = {
  NaN: 'NAN',
  Infinity: 'POSITIVE_INFINITY',
  '-Infinity': 'NEGATIVE_INFINITY',
};

/**
 * Returns whether the text of a number or date ends with a letter, such as `NaN`, `infinity` or a
 * year BC. Only such texts are looked up in a table, because a lookup takes longer than writing the
 * value.
 */
const isSpecial = (value: string): boolean => /[A-Za-z]$/.test(value);

const base64 = (bytes: Buffer): string => text(bytes.toString('base64'));

const ENCODERS: Readonly<Record<string, (value: string) => string>> = {
  bool: (value) => (value === 't' || value === 'true' ? 'true' : 'false'),
  int2: same,
  int4: same,
  int8: same,
  oid: same,
  numeric: (value) => text(isSpecial(value) ? (SPECIAL_NUMERICS[value] ?? value) : value),
  float4: (value) => float(value, Math.fround(Number(value))),
  float8: (value) => float(value, Number(value)),
  date: (value) => text((isSpecial(value) && INFINITE_DATES[value]) || `${isoYear(value)}Z`),
  timestamp: (value) => text((isSpecial(value) && INFINITE_TIMES[value]) || isoInstant(value)),
  timestamptz: (value) =>
    text(isSpecial(value) && value in INFINITE_TIMES ? value : isoInstantOfZone(value)),
  time: (value) => text(`${trimmed(value)}Z`),
  interval: (value) => text(javaInterval(value)),
  bytea: (value) => base64(Buffer.from(value.slice(2), 'hex')),
  bit: (value) => (value.length === 1 ? String(value === '1') : base64(bytesOfBits(value))),
  money: (value) => text(money.fromText(value)),
  geometry: (value) => postgisJson('geometry', value),
  geography: (value) => postgisJson('geography', value),
};
const PLAIN = new Set([
  'text',
  'varchar',
  'bpchar',
  'char',
  'citext',
  'enum',
  'uuid',
  'xml',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'json',
  'jsonb',
  'int4range',
  'int8range',
  'numrange',
  'daterange',
  'tsrange',
  'tstzrange',
  'ltree',
  'tsvector',
]);

/**
 * Returns the columns that all events of a table have. Leaves out columns of types that Debezium
 * omits. Also leaves out generated columns that change events do not contain, although Debezium's
 * initial load has them.
 */
export const capturedColumns = <C extends { readonly type: string } & MaybeGenerated>(
  columns: readonly C[],
  capture: CaptureFacts,
): C[] => columns.filter((column) => isCarried(capture, column) && !isLeftOut(column.type));

/** Returns whether Sluice can write a column of this base type as the connector does. */
export function canReplay(type: string): boolean {
  const item = type.replace(/(\[\])+$/, '');
  if (item !== type && Object.hasOwn(FURTHER_TYPES, item) && !WITH_ARRAYS.has(item)) return false;
  return Object.hasOwn(ENCODERS, item) || PLAIN.has(item);
}

function encoderOf(type: string): (value: string) => string {
  if (type.endsWith('[]')) {
    const encode = encoderOf(type.slice(0, -2));
    return (value) =>
      `[${arrayItems(value)
        .map((item) => (item === null ? 'null' : encode(item)))
        .join(',')}]`;
  }
  const encode = ENCODERS[type] ?? (PLAIN.has(type) ? text : undefined);
  if (!encode) throw new Undecodable(`values of type ${type} cannot be written as Debezium does`);
  return encode;
}
