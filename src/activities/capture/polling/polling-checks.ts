// Checks how polling would find new rows, and which changes it would miss. The checks of times are
// in polling-time-checks.ts, and those of the plugin in polling-plugin-checks.ts. All checks in
// this file only query the source, except `polling.deletes`, which reads the spec.
import type pg from 'pg';
import { describeQuery, readTable } from '../../../clients/postgres/catalog.js';
import { readLone } from '../../../clients/postgres/single-statement.js';
import { oldWriters } from '../../../clients/postgres/open-writers.js';
import { readSource } from '../../../clients/postgres/connection.js';
import { polledFrom } from '../../../connectors/jdbc-source.js';
import type { Check, CheckName } from '../../../domain/evidence/check.js';
import { durationMs } from '../../../domain/values/duration.js';
import type { PollingPlan } from '../../../domain/capture/capture.js';
import { qualified, quoteIdent, type Capture } from '../../../domain/migration/names.js';
import {
  looksAtIds,
  looksAtTimes,
  unseenBy,
  type Polling,
} from '../../../domain/capture/polling-settings.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import type { Deps } from '../../runtime/deps.js';
import { polledShape } from './polled-shape.js';
import { pluginCarries, pluginReadsEveryRow } from './polling-plugin-checks.js';
import { nothingAhead, nothingWithoutTime, timesAreUtc } from './polling-time-checks.js';
import { attempt, failed, inTurn, passed, type Answer } from '../../runtime/make-finding.js';
import { cannotSee, describeWriters, remedyFor } from '../load/long-writers.js';

const INTEGERS: readonly string[] = ['int2', 'int4', 'int8'];
const TIMES: readonly string[] = ['timestamp', 'timestamptz'];
const WORTH_AN_INDEX_ROWS = 100_000;

export async function checkPolling(
  deps: Pick<Deps, 'secret' | 'systems'>,
  plan: ResolvedPlan,
  { polling }: PollingPlan,
): Promise<Check[]> {
  const { captures } = plan;
  return readSource(plan, deps.secret, async (client) => {
    const of = (name: CheckName, ask: (capture: Capture) => Promise<Answer>) =>
      captures.map((capture) => () => attempt(name, () => ask(capture), capture.subject));
    return [
      declared(polling),
      ...(await inTurn([
        ...of('polling.cursor', (capture) => columnsFit(client, polling, capture)),
        ...of('polling.nulls', (capture) => nothingWithoutTime(client, polling, capture)),
        ...of('polling.clock', (capture) => timesAreUtc(client, polling, capture)),
        ...of('polling.future', (capture) => nothingAhead(client, polling, capture)),
        ...(polling.query === null
          ? of('polling.index', (capture) => cursorIsIndexed(client, polling, capture))
          : of('polling.query', () => isSteady(client, polling))),
        () => attempt('polling.mode', () => pluginReadsEveryRow(deps, plan, polling)),
        ...of('polling.plugin', (capture) => pluginCarries(deps, plan, client, polling, capture)),
        ...(polling.mode === 'bulk'
          ? []
          : [() => attempt('polling.delay', () => commitsInTime(client, plan, polling))]),
      ])),
    ];
  });
}

function declared({ deletes, mode }: Polling): Check {
  return deletes === null
    ? failed(
        'polling.deletes',
        '',
        `polling cannot see ${unseenBy(mode)}, and connector.deletes is not set`,
        'set connector.deletes to none (rows are never deleted) or soft (rows are marked as deleted), or use connector.type debezium-postgres',
      )
    : passed(
        'polling.deletes',
        '',
        `declared: ${deletes === 'none' ? 'rows are never deleted' : 'rows are marked as deleted, but never removed'}; windows look for deleted rows`,
      );
}

async function columnsFit(
  client: pg.ClientBase,
  polling: Polling,
  { subject }: Capture,
): Promise<Answer> {
  const { columns, key } = await polledShape(client, polling, { subject });
  const comma = key.find((name) => name.includes(','));
  if (comma !== undefined)
    return {
      detail: `key column "${comma}" has a comma in its name, which Kafka Connect's lists of fields cannot contain`,
      remedy: 'rename the column in a connector.query',
    };
  const typeOf = (name: string): string | undefined => columns.find((c) => c.name === name)?.type;
  const wanted = [
    ...(looksAtIds(polling.mode) || polling.query !== null
      ? [[polling.incrementingColumn!, INTEGERS, 'an integer'] as const]
      : []),
    ...(looksAtTimes(polling.mode)
      ? polling.timestampColumns.map((name) => [name, TIMES, 'timestamp or timestamptz'] as const)
      : []),
  ];
  for (const [name, types, meant] of wanted) {
    const type = typeOf(name);
    if (type === undefined)
      return {
        detail: `there is no column ${name}; the columns are ${columns.map((c) => c.name).join(', ')}`,
        remedy: 'correct spec.connector',
      };
    if (!types.includes(type))
      return {
        detail: `column ${name} is ${type}, not ${meant}`,
        remedy: 'name another column in spec.connector, or use another connector.mode',
      };
  }
  const kinds = new Set(polling.timestampColumns.map(typeOf));
  if (kinds.size > 1)
    return {
      detail: `${polling.timestampColumns.join(', ')} have different types`,
      remedy: 'name columns that have the same type',
    };
  return wanted.length === 0 || polling.mode === 'bulk'
    ? 'every row is read at every poll'
    : `new rows are found by ${wanted.map(([name]) => name).join(', ')}`;
}

async function cursorIsIndexed(
  client: pg.ClientBase,
  polling: Polling,
  { subject }: Capture,
): Promise<Answer> {
  const table = await readTable(client, subject);
  if (polling.mode === 'bulk' || !table || table.rowsEstimate < WORTH_AN_INDEX_ROWS)
    return 'no index needed: the table is small or read completely at each poll';
  const first = looksAtTimes(polling.mode)
    ? polling.timestampColumns
    : [polling.incrementingColumn!];
  // The connector compares several columns as COALESCE(a, b). Postgres can then use no index except
  // one on this expression. The condition of a poll, such as `a > ?`, implies only that the value
  // is not null. So a poll can use a partial index only if its predicate is IS NOT NULL.
  const { rows } = await client.query<{ cursor: string; indexes: string }>(
    `WITH wanted AS (
       SELECT CASE count(*) WHEN 1 THEN min(quote_ident(name))
              ELSE 'COALESCE(' || string_agg(quote_ident(name), ', ' ORDER BY at) || ')' END AS cursor
       FROM unnest($2::text[]) WITH ORDINALITY AS named (name, at))
     SELECT cursor, (SELECT count(*) FROM pg_index i WHERE i.indisvalid
       AND coalesce(pg_get_expr(i.indpred, i.indrelid) = '(' || cursor || ' IS NOT NULL)', true) AND i.indrelid = to_regclass($1) AND pg_get_indexdef(i.indexrelid, 1, true) = cursor) AS indexes
     FROM wanted`,
    [qualified(table.name), first],
  );
  const { cursor, indexes } = rows[0]!;
  return Number(indexes) > 0
    ? `an index begins with ${cursor}`
    : {
        detail: `no index finds new rows by ${cursor}, so each poll would read all ${table.rowsEstimate} rows`,
        remedy: `CREATE INDEX CONCURRENTLY ON ${subject} (${cursor}), or waive polling.index if the source can take that load`,
      };
}

/**
 * Runs the query twice in one snapshot. The key must be unique, and both runs must give the same
 * result.
 */
async function isSteady(client: pg.ClientBase, polling: Polling): Promise<Answer> {
  await describeQuery(client, polling.query!);
  const key = quoteIdent(polling.incrementingColumn!);
  const from = polledFrom(polling, { subject: '' });
  const ask = async (): Promise<Record<string, string | null>> =>
    (
      await readLone(
        client,
        `SELECT count(*) AS rows, count(DISTINCT ${key}) AS keys, bit_xor(hashtextextended(sluice_query::text, 0)) AS digest FROM ${from}`,
      )
    )[0]!;
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const [first, second] = [await ask(), await ask()];
    if (first['rows'] !== first['keys'])
      return {
        detail: `the query returns ${first['rows']} rows for ${first['keys']} values of ${key}, so ${key} is not a key`,
        remedy: 'set connector.incrementingColumn to a column that identifies a row',
      };
    if (first['digest'] !== second['digest'] || first['rows'] !== second['rows'])
      return {
        detail: 'the query gave two different results in one snapshot',
        remedy:
          'remove volatile expressions: random(), clock_timestamp(), LIMIT without a full ORDER BY',
      };
    return `${first['rows']} rows; ${key} is unique; two runs gave the same result`;
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Checks for transactions that began longer than `connector.delay` ago and have written, and for
 * prepared transactions. They may still commit rows whose time or id lies before the connector's
 * position, and polling would skip those rows.
 */
async function commitsInTime(
  client: pg.ClientBase,
  { spec: { source } }: MigrationSpec,
  polling: Polling,
): Promise<Answer> {
  const { old, unseen } = await oldWriters(client, durationMs(polling.delay), {
    thisDatabase: true,
  });
  if (old.length > 0)
    return {
      detail:
        `${old.length} writing transaction(s) are prepared, or have been open longer than connector.delay ${polling.delay}, so polling may skip their rows: ` +
        describeWriters(old),
      remedy: remedyFor(
        old,
        'raise connector.delay above the longest writing transaction, or shorten those transactions',
      ),
    };
  return unseen.length > 0
    ? cannotSee(source.postgres.user, unseen)
    : `no writing transaction has been open for longer than ${polling.delay}`;
}
