// Recommends a connector, an initial load (`snapshot`) and a pipeline for the migration of a batch
// process, with reasons and preconditions. Estimates the effort of the migration and the freshness
// of the result.
import { formatMs } from '../domain/values/duration.js';
import { isCapturable, isTruncated, type ProcessFacts, type TableFacts } from './facts.js';
import type { Judgement } from './score.js';

export interface Advice {
  readonly connector: 'debezium-postgres' | 'jdbc-source' | null;
  readonly snapshot: 'initial' | 'incremental' | null;
  readonly pipeline: 'external' | 'flink-sql' | 'ksqldb' | null;
  readonly reasons: readonly string[];
  /** Changes in the tables of this process that a JDBC source would not see. */
  readonly jdbcWouldMiss: readonly string[];
  readonly preconditions: readonly { readonly what: string; readonly holds: boolean | null }[];
}

export interface Effort {
  readonly days: number;
  readonly counted: readonly string[];
}

/**
 * The age of the batch's result when a reader sees it, and the load of the stream. Null means
 * unknown.
 */
export interface Freshness {
  readonly batchMeanMs: number | null;
  readonly batchWorstMs: number | null;
  /** The number of records per day that the stream would carry. */
  readonly recordsPerDay: number | null;
  /**
   * The number of bytes per day that Kafka would store for one replica. It is estimated from the
   * mean size of rows and from Debezium's envelope.
   */
  readonly bytesPerDay: number | null;
}

const ROWS_PER_SECOND_OF_A_SNAPSHOT = 30_000;
const LONGEST_SNAPSHOT_MS = 30 * 60_000;
const ENVELOPE_FACTOR = 3; // a record has field names, its source, and often the former row

export function adviceFor({ process, sql, source, tables }: ProcessFacts): Advice {
  const list = tables.known ? tables.value : [];
  const missed = list.flatMap(missedByPolling);
  const preconditions = [
    {
      what: 'wal_level = logical',
      holds: source.known ? source.value.walLevel === 'logical' : null,
    },
    { what: 'a role that may replicate', holds: source.known ? source.value.mayReplicate : null },
    {
      what: 'two free replication slots',
      holds: source.known ? source.value.slotsFree >= 2 : null,
    },
    {
      what: 'a primary key on every table',
      holds: tables.known ? list.every((t) => t.key.length > 0) : null,
    },
  ];
  if (!tables.known && process.cdc !== 'forbidden')
    return {
      connector: null,
      snapshot: null,
      pipeline: pipelineFor(sql),
      reasons: [`not chosen: ${tables.why}`],
      jdbcWouldMiss: [],
      preconditions,
    };
  if (process.cdc === 'forbidden' || !list.every(isCapturable))
    return {
      connector: 'jdbc-source',
      snapshot: null,
      pipeline: pipelineFor(sql),
      reasons: [
        process.cdc === 'forbidden' ? 'change capture is forbidden' : 'only tables can be captured',
        ...(missed.length > 0 ? ['but polling would miss the listed changes'] : []),
      ],
      jdbcWouldMiss: missed,
      preconditions,
    };
  const rows = Math.max(0, ...list.map((t) => t.rows));
  const loadMs = (rows / ROWS_PER_SECOND_OF_A_SNAPSHOT) * 1000;
  const isLong = loadMs > LONGEST_SNAPSHOT_MS;
  return {
    connector: 'debezium-postgres',
    snapshot: isLong ? 'incremental' : 'initial',
    pipeline: pipelineFor(sql),
    reasons: [
      missed.length > 0
        ? `change capture sees changes that polling would miss: ${missed[0]}`
        : 'change capture sees every change except TRUNCATE, in order, with its transaction',
      ...list
        .filter(isTruncated)
        .map(
          ({ table }) =>
            `TRUNCATE seems to empty ${table}, and change capture does not see that; use DELETE instead`,
        ),
      `the largest table has ${rows.toLocaleString('en')} rows: an initial load of about ${formatMs(loadMs)}${isLong ? ' is too long for one transaction, so load it in chunks' : ''}`,
    ],
    jdbcWouldMiss: missed,
    preconditions,
  };
}

function missedByPolling({ table, rows, columns, total, perDay, key }: TableFacts): string[] {
  const stamped = columns.some(
    (c) => c.type.startsWith('timestamp') && /(updated|modified|changed|last)/.test(c.name),
  );
  const dated = columns.some(
    (c) => c.type.startsWith('timestamp') && /(creat|insert|added)/.test(c.name),
  );
  const counted = columns.some((c) => key.includes(c.name) && /^int[248]$/.test(c.type));
  return [
    ...(total === null
      ? [`${table}: deletes, if there are any; Postgres has no statistics of this table`]
      : []),
    ...(total && total.deleted > 0
      ? [
          `${table}: deletes (${perDay ? `${Math.round(perDay.deleted).toLocaleString('en')} a day` : `${total.deleted.toLocaleString('en')} so far`})`,
        ]
      : []),
    ...(isTruncated({ rows, total }) ? [`${table}: the rows that TRUNCATE removes`] : []),
    ...(!stamped && (total === null || total.updated > 0)
      ? [`${table}: updates, because it has no column with the time of a change`]
      : []),
    ...(!stamped && !dated && !counted
      ? [
          `${table}: even inserts, because it has neither the time of an insert or change nor a growing number`,
        ]
      : []),
  ];
}

function pipelineFor(sql: ProcessFacts['sql']): Advice['pipeline'] {
  if (!sql.known || sql.value.class === 'unknown' || sql.value.class === 'not streamable')
    return null;
  const operators = sql.value.blocks.flatMap((b) => b.operators);
  if (operators.some((o) => o.kind === 'window' || o.kind === 'top-n' || o.kind === 'set'))
    return 'flink-sql';
  if (
    operators.every((o) => o.class === 'stateless' || o.kind === 'aggregate') &&
    operators.filter((o) => o.kind === 'aggregate').length <= 1
  )
    return 'ksqldb';
  return sql.value.flags.some((f) => f.gravity === 'care' && f.id === 'unknown-function')
    ? 'external'
    : 'flink-sql';
}

export function effortOf(
  { process, sql, tables }: ProcessFacts,
  { work }: Pick<Judgement, 'work'>,
): Effort {
  const blocks = sql.known ? sql.value.blocks : [];
  const operators = blocks.flatMap((b) => b.operators).filter((o) => o.class !== 'stateless');
  const heavy = operators.filter((o) => o.class !== 'keyed state').length;
  const count = tables.known ? tables.value.length : sql.known ? sql.value.tables.length : 0;
  const consumers = process.consumers?.length ?? 0;
  const items: [number, number, string][] = [
    [1, 2, 'set-up, windows and a cut-over'],
    [count, 0.5, 'tables'],
    [operators.length, 0.75, 'operators with state'],
    [heavy, 1.5, 'operators with unbounded state'],
    [work.length, 1.5, 'things to do first'],
    [consumers, 0.5, 'consumers to move'],
  ];
  const days = items.reduce((sum, [n, each]) => sum + n * each, 0);
  return {
    days: Math.ceil(days),
    counted: items.filter(([n]) => n > 0).map(([n, each, what]) => `${n} × ${each} d: ${what}`),
  };
}

export function freshnessOf({ interval, runTime, tables }: ProcessFacts): Freshness {
  const isAgeKnown = interval.known && runTime.known;
  const bytes = tables.known ? totalOf(tables.value.map(bytesPerDay)) : null;
  return {
    batchMeanMs: isAgeKnown ? interval.value / 2 + runTime.value : null,
    batchWorstMs: isAgeKnown ? interval.value + runTime.value : null,
    recordsPerDay: tables.known ? totalOf(tables.value.map(recordsPerDay)) : null,
    bytesPerDay: bytes === null ? null : Math.round(bytes),
  };
}

/** Returns the sum, or null if one of the numbers is unknown. */
const totalOf = (numbers: readonly (number | null)[]): number | null =>
  numbers.reduce<number | null>((sum, n) => (sum === null || n === null ? null : sum + n), 0);

const recordsPerDay = ({ perDay }: TableFacts): number | null =>
  perDay && perDay.inserted + perDay.updated + perDay.deleted;

/**
 * Returns null if the number of records per day is unknown. Also returns null for a changing table
 * that is empty now, because its rows have no known width.
 */
function bytesPerDay(table: TableFacts): number | null {
  const records = recordsPerDay(table);
  if (records === null || records === 0) return records;
  return table.rows > 0 ? records * (table.bytes / table.rows) * ENVELOPE_FACTOR : null;
}
