// Finds rows that would not fit into a Kafka message. The query measures texts and bytes without
// reading TOASTed values. It reads long values of most other types, because their text can be much
// longer than the compressed value on disk.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import type { Column, TableCatalog } from '../../clients/postgres/catalog.js';
import { POSTGIS } from '../../compare/types/postgis.js';
import { capturedColumns } from '../../compare/write-debezium-json.js';
import type { CaptureFacts } from '../../domain/capture/capture.js';
import type { Check } from '../../domain/evidence/check.js';
import { qualified, quoteIdent } from '../../domain/migration/names.js';
import { attempt, passed, type Answer } from '../runtime/make-finding.js';

/** The default of max.request.size (producers). The brokers' message.max.bytes is larger. */
const MESSAGE_BYTES = 1024 * 1024;
/** The bytes of a record that are not part of the row: names, position and times. */
const ENVELOPE_BYTES = 1500;
const MEASURE_MS = 15_000;
/**
 * The percentage of the table that is scanned next, if a scan took too long or found no row. Null is
 * the whole table. A sample without a row needs a larger one: a small table whose long values are
 * TOASTed has so few blocks that a small sample has none of them.
 */
const NEXT_PERCENT = new Map<number | null, { readonly slow?: number; readonly empty?: number }>([
  [null, { slow: 0.1 }],
  [0.1, { slow: 0.001, empty: 1 }],
  [1, { empty: 10 }],
  [0.001, { empty: 0.01 }],
]);
/**
 * How much longer a value can be than on disk, by its compression. In PGLZ, 25 bytes stand for at
 * most 8 copies of 273 bytes. In LZ4, each further byte of a copy stands for at most 255 bytes.
 */
const MOST_COMPRESSED = { pglz: 88, lz4: 256 } as const;
/**
 * How much longer than its bytes the text of a value can be. An array has one bit for NULL. In
 * jsonb, a control character becomes an escape of 6 characters. Numbers of more than 100,000 digits
 * could be even longer, but are not expected.
 */
const GROWTH = { json: 1, array: 40, other: 8 } as const;
const TEXTS = new Set(['text', 'varchar', 'citext', 'bpchar']);

/**
 * Scans the table. If the scan takes too long, scans only a sample. A table without TOASTed values
 * is scanned only if a compressed value could be long inside of its row. `text` is the table as the
 * spec names it.
 */
export async function checkMessageSize(
  client: pg.ClientBase,
  capture: CaptureFacts,
  text: string,
  table: TableCatalog,
): Promise<Check> {
  if (!table.holdsFarValues && !table.columns.some(growsInside))
    return passed(
      'table.message-size',
      text,
      'no value is TOASTed, so every row fits into a message',
    );
  return attempt('table.message-size', () => measure(client, capture, table), text);
}

async function measure(
  client: pg.ClientBase,
  capture: CaptureFacts,
  table: TableCatalog,
): Promise<Answer> {
  const size = sizesOf(capture, table);
  let percent: number | null | undefined = null;
  while (percent !== undefined) {
    const found: Large | 'slow' | 'empty' = await largeRows(client, table, size, percent);
    if (typeof found === 'object')
      return judged(
        table,
        found,
        percent === null
          ? ''
          : ` (in a sample of ${percent} %, because a full scan would take too long)`,
      );
    percent = NEXT_PERCENT.get(percent)?.[found];
  }
  return {
    unknown: true,
    detail: `neither the table nor a sample with rows could be measured within ${MEASURE_MS / 1000} s`,
    remedy:
      'check yourself that no row is larger than a Kafka message, and waive table.message-size',
  };
}

interface Large {
  readonly rows: number;
  readonly largest: number;
}

function judged(table: TableCatalog, { rows, largest }: Large, scope: string): Answer {
  if (rows === 0) return `no row is larger than a Kafka message, ${MESSAGE_BYTES} bytes${scope}`;
  const q = qualified(table.name);
  return {
    detail: `${rows} rows of ${q} are larger than a Kafka message, ${MESSAGE_BYTES} bytes by default; the largest has about ${largest} bytes${scope}`,
    remedy:
      'shorten or move these values. Or raise producer.max.request.size of the Connect workers and message.max.bytes of the brokers, and waive table.message-size',
  };
}

/**
 * Measures the table, or a sample of it. Returns `slow` if this takes too long, and `empty` if the
 * sample has no row.
 */
async function largeRows(
  client: pg.ClientBase,
  table: TableCatalog,
  { most, exact }: Sizes,
  percent: number | null,
): Promise<Large | 'slow' | 'empty'> {
  const limit = MESSAGE_BYTES - ENVELOPE_BYTES;
  const sample = percent === null ? '' : ` TABLESAMPLE SYSTEM (${percent})`;
  await client.query(`BEGIN; SET LOCAL statement_timeout = ${MEASURE_MS}`);
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      `SELECT count(*) AS seen, count(*) FILTER (WHERE size > ${limit}) AS n, max(size) AS largest FROM (SELECT CASE WHEN ${most} <= ${limit} THEN ${most} ELSE ${exact} END AS size FROM ${qualified(table.name)}${sample}) AS sluice_sizes`,
    );
    if (percent !== null && Number(rows[0]!['seen']) === 0) return 'empty';
    return { rows: Number(rows[0]!['n']), largest: Number(rows[0]!['largest'] ?? 0) };
  } catch (error) {
    if (hasState(error, SQLSTATE.queryCanceled)) return 'slow';
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** SQL for a size. `most` reads no TOASTed value, and `exact` reads those that are not texts. */
interface Sizes {
  readonly most: string;
  readonly exact: string;
}

/**
 * Returns SQL for the bytes of a change. With replica identity FULL, an update contains the row
 * twice.
 */
function sizesOf(capture: CaptureFacts, table: TableCatalog): Sizes {
  const columns = capturedColumns(table.columns, capture).map(columnSizes);
  const sum = (which: keyof Sizes): string =>
    `(${columns.map((sizes) => `coalesce(${sizes[which]}, 0)`).join(' + ')})::bigint * ${table.replicaIdentity === 'full' ? 2 : 1}`;
  return { most: sum('most'), exact: sum('exact') };
}

function columnSizes({ name, type }: Column): Sizes {
  const column = quoteIdent(name);
  // the server stores the length of a text or of bytes before they are compressed
  const length = `octet_length(${column})::bigint`;
  if (TEXTS.has(type)) return { most: length, exact: length };
  if (type === 'bytea') return { most: inBase64(length), exact: inBase64(length) };
  const { pglz, lz4 } = MOST_COMPRESSED;
  const bytes = `pg_column_size(${column})::bigint * CASE pg_column_compression(${column}) WHEN 'pglz' THEN ${pglz} WHEN 'lz4' THEN ${lz4} ELSE 1 END`;
  return type in POSTGIS
    ? { most: inBase64(bytes), exact: inBase64(`octet_length(${column}::bytea)::bigint`) }
    : { most: `${bytes} * ${growthOf(type)}`, exact: `octet_length(${column}::text)::bigint` };
}

const inBase64 = (bytes: string): string => `${bytes} * 4 / 3`;

const growthOf = (type: string): number =>
  type === 'json' ? GROWTH.json : type.endsWith('[]') ? GROWTH.array : GROWTH.other;

/** Returns whether a value can be too large for a message although its row has no TOASTed value. */
const growsInside = ({ type }: Column): boolean => type === 'jsonb' || type.endsWith('[]');
