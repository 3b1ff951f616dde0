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
 * The percentages of the table that are scanned. Each smaller sample is scanned only if the scan
 * before it took too long or found no row. Null is the whole table.
 */
const SAMPLE_PERCENTS = [null, 0.1, 0.001];
/** A value that needs no more bytes on disk than this cannot become a message that is too large. */
const LEAST_COMPRESSED = 4000;
const TEXTS = new Set(['text', 'varchar', 'citext', 'bpchar']);

/**
 * Scans the table. If the scan takes too long, scans only a sample. A table without TOASTed values
 * has no long row, so it is not scanned. `text` is the table as the spec names it.
 */
export async function checkMessageSize(
  client: pg.ClientBase,
  capture: CaptureFacts,
  text: string,
  table: TableCatalog,
): Promise<Check> {
  if (!table.holdsFarValues)
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
  const size = sizeOf(capture, table);
  for (const percent of SAMPLE_PERCENTS) {
    const found = await largeRows(client, table, size, percent);
    if (found !== null)
      return judged(
        table,
        found,
        percent === null
          ? ''
          : ` (in a sample of ${percent} %, because a full scan would take too long)`,
      );
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
 * Measures the table, or a sample of it. Returns null if this takes too long, or if the sample has
 * no row.
 */
async function largeRows(
  client: pg.ClientBase,
  table: TableCatalog,
  size: string,
  percent: number | null,
): Promise<Large | null> {
  const limit = MESSAGE_BYTES - ENVELOPE_BYTES;
  const sample = percent === null ? '' : ` TABLESAMPLE SYSTEM (${percent})`;
  await client.query(`BEGIN; SET LOCAL statement_timeout = ${MEASURE_MS}`);
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      `SELECT count(*) AS seen, count(*) FILTER (WHERE size > ${limit}) AS n, max(size) AS largest FROM (SELECT ${size} AS size FROM ${qualified(table.name)}${sample}) AS sluice_sizes`,
    );
    if (percent !== null && Number(rows[0]!['seen']) === 0) return null;
    return { rows: Number(rows[0]!['n']), largest: Number(rows[0]!['largest'] ?? 0) };
  } catch (error) {
    if (hasState(error, SQLSTATE.queryCanceled)) return null;
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Returns SQL for the bytes of a change. With replica identity FULL, an update contains the row
 * twice.
 */
function sizeOf(capture: CaptureFacts, table: TableCatalog): string {
  const sizes = capturedColumns(table.columns, capture).map(
    (column) => `coalesce(${columnSize(column)}, 0)`,
  );
  return `(${sizes.join(' + ')})::bigint * ${table.replicaIdentity === 'full' ? 2 : 1}`;
}

function columnSize({ name, type }: Column): string {
  const column = quoteIdent(name);
  if (TEXTS.has(type)) return `octet_length(${column})`;
  if (type === 'bytea') return `octet_length(${column})::bigint * 4 / 3`;
  const size = `pg_column_size(${column})`;
  if (type in POSTGIS) return `${size}::bigint * 4 / 3`; // base64
  // Postgres compresses other long values, too, such as JSON and arrays
  return `CASE WHEN ${size} > ${LEAST_COMPRESSED} THEN octet_length(${column}::text) ELSE ${size} END`;
}
