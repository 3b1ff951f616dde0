// Rows that would not fit into a Kafka message: measured by their sizes on disk and in memory,
// without reading the values themselves.
import type pg from 'pg';
import type { Column, TableCatalog } from '../../clients/postgres/catalog.js';
import { capturedColumns } from '../../compare/debezium-json.js';
import type { Check } from '../../domain/evidence/check.js';
import { qualified, quoteIdent } from '../../domain/migration/names.js';
import { attempt, passed, type Answer } from '../runtime/findings.js';

/** The default of producers and brokers, max.request.size and message.max.bytes. */
const MESSAGE_BYTES = 1024 * 1024;
/** The bytes of a record around the row: names, position, times. */
const ENVELOPE_BYTES = 1500;
const MEASURE_MS = 15_000;
const SAMPLE_PERCENT = 0.1;
const CANCELED = '57014';
const TEXTS = new Set(['text', 'varchar', 'citext', 'bpchar']);

/**
 * Reads the table once, but none of its values that lie out of line: only such ones are long.
 * `text` = the table as the spec names it.
 */
export async function checkMessageSize(
  client: pg.ClientBase,
  text: string,
  table: TableCatalog,
): Promise<Check> {
  if (!table.holdsFarValues)
    return passed(
      'table.message-size',
      text,
      'no value is TOASTed, so every row fits into a message',
    );
  return attempt('table.message-size', () => measure(client, table), text);
}

async function measure(client: pg.ClientBase, table: TableCatalog): Promise<Answer> {
  try {
    return judged(table, await largeRows(client, table, ''), '');
  } catch (error) {
    if ((error as { code?: unknown }).code !== CANCELED) throw error;
    return judged(
      table,
      await largeRows(client, table, ` TABLESAMPLE SYSTEM (${SAMPLE_PERCENT})`),
      ` (a sample of ${SAMPLE_PERCENT} %: all would take too long)`,
    );
  }
}

interface Large {
  readonly rows: number;
  readonly largest: number;
}

function judged(table: TableCatalog, { rows, largest }: Large, scope: string): Answer {
  if (rows === 0) return `no row is larger than a message, ${MESSAGE_BYTES} bytes${scope}`;
  const q = qualified(table.name);
  return {
    detail: `${rows} rows of ${q} are larger than a message of Kafka, ${MESSAGE_BYTES} bytes by default; the largest has about ${largest} bytes${scope}`,
    remedy:
      'shorten or move these values; or raise producer.max.request.size of the Connect workers and message.max.bytes of the brokers, and waive table.message-size',
  };
}

async function largeRows(
  client: pg.ClientBase,
  table: TableCatalog,
  sample: string,
): Promise<Large> {
  const limit = MESSAGE_BYTES - ENVELOPE_BYTES;
  await client.query(`BEGIN; SET LOCAL statement_timeout = ${MEASURE_MS}`);
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      `SELECT count(*) AS n, max(size) AS largest FROM (SELECT ${sizeOf(table)} AS size FROM ${qualified(table.name)}${sample}) AS sluice_sizes WHERE size > ${limit}`,
    );
    return { rows: Number(rows[0]!['n']), largest: Number(rows[0]!['largest'] ?? 0) };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** The bytes of one image of the row. With replica identity FULL, an update has two. */
function sizeOf(table: TableCatalog): string {
  const sizes = capturedColumns(table.columns).map(
    (column) => `coalesce(${columnSize(column)}, 0)`,
  );
  return `(${sizes.join(' + ')})::bigint * ${table.replicaIdentity === 'full' ? 2 : 1}`;
}

function columnSize({ name, type }: Column): string {
  const column = quoteIdent(name);
  if (TEXTS.has(type)) return `octet_length(${column})`;
  return type === 'bytea' ? `octet_length(${column})::bigint * 4 / 3` : `pg_column_size(${column})`;
}
