// Measures the source, the tables and the run logs of a portfolio over one read-only connection
// with a statement timeout. A value that cannot be measured is unknown, with a reason. No value is
// guessed.
import type pg from 'pg';
import { slotUse } from '../../clients/postgres/slots.js';
import {
  known,
  type Changes,
  type Fact,
  type Measured,
  type RunFacts,
  type SourceFacts,
  type TableFacts,
} from '../../assess/facts.js';
import { readTable, type TableCatalog } from '../../clients/postgres/catalog.js';
import { withAddress, type ResolveSecret } from '../../clients/postgres/connection.js';
import { isProvable } from '../../compare/column-types.js';
import { parseTableName, qualified } from '../../domain/migration/names.js';
import { mayReplicateAs } from '../../domain/access/privilege-conditions.js';
import type { PostgresAddress } from '../../domain/migration/spec.js';
import { classify } from '../../activities/runtime/application-failure.js';

const STATEMENT_MS = 5000;
const DAY_MS = 86_400_000;
// A table of at most this size may be empty: its indexes and the index of its TOAST table have some
// pages even without rows.
const EMPTY_TABLE_BYTES = 64 * 1024;

/**
 * Measures `tables` and `runLogs`, which are named as `schema.name`. It never throws. If the
 * database cannot be reached, the answer contains only the reason.
 */
export async function measure(
  address: PostgresAddress,
  secret: ResolveSecret,
  tables: readonly string[],
  runLogs: readonly string[],
): Promise<Measured> {
  const measured = {
    tables: new Map<string, Fact<TableFacts | null>>(),
    runs: new Map<string, Fact<RunFacts>>(),
  };
  try {
    return await withAddress(
      address,
      secret,
      'sluice/assess',
      async (client) => {
        const source = await ask(() => readSource(client));
        const days = await ask(() => statisticsDays(client));
        for (const table of tables)
          measured.tables.set(
            table,
            await ask(() => readFacts(client, table, days.known ? days.value : null)),
          );
        for (const log of runLogs) measured.runs.set(log, await ask(() => readRuns(client, log)));
        return { source, ...measured };
      },
      { statementTimeoutMs: STATEMENT_MS, readOnly: true },
    );
  } catch (error) {
    return {
      source: { known: false, why: `the database cannot be reached: ${classify(error).message}` },
      ...measured,
    };
  }
}

async function ask<T>(question: () => Promise<T>): Promise<Fact<T>> {
  try {
    return known(await question());
  } catch (error) {
    return { known: false, why: classify(error).message };
  }
}

const one = async (
  client: pg.ClientBase,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, string | null>> =>
  (await client.query<Record<string, string | null>>(sql, values)).rows[0]!;

async function readSource(client: pg.ClientBase): Promise<SourceFacts> {
  const row = await one(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('wal_level') AS wal_level, pg_is_in_recovery() AS standby, current_setting('server_encoding') AS encoding,
       ${mayReplicateAs('current_user')} AS replicate`,
  );
  const { used, most } = await slotUse(client);
  return {
    version: row['version']!,
    walLevel: row['wal_level']!,
    slotsFree: most - used,
    mayReplicate: row['replicate'] === 't',
    isPrimary: row['standby'] !== 't',
    encoding: row['encoding']!,
  };
}

/**
 * Returns how many days the database's cumulative statistics cover. Throws if the time is unknown
 * or less than an hour. A shorter time says too little about a whole day.
 */
async function statisticsDays(client: pg.ClientBase): Promise<number> {
  const row = await one(
    client,
    `SELECT extract(epoch FROM now() - stats_reset) AS seconds FROM pg_stat_database WHERE datname = current_database()`,
  );
  if (row['seconds'] === null)
    throw new Error(
      'the statistics were never reset, so it is unknown how long they have been counting',
    );
  const days = (Number(row['seconds']) * 1000) / DAY_MS;
  if (days < 1 / 24)
    throw new Error(
      `the statistics cover ${Math.round(days * 24 * 60)} minutes, and 60 are needed`,
    );
  return days;
}

async function readFacts(
  client: pg.ClientBase,
  table: string,
  days: number | null,
): Promise<TableFacts | null> {
  const catalog = await readTable(client, table);
  if (!catalog) return null;
  const counters = await countersOf(client, catalog);
  const rows = Math.max(catalog.rowsEstimate, counters?.live ?? 0);
  const parts = catalog.kind === 'p' ? catalog.leaves.length : 1;
  if (rows === 0 && 'rp'.includes(catalog.kind) && catalog.bytes > EMPTY_TABLE_BYTES * parts)
    throw new Error(`${table} has no statistics: run ANALYZE`);
  return {
    table,
    kind: catalog.kind,
    rows,
    bytes: catalog.bytes,
    key: catalog.key,
    replicaIdentity: catalog.replicaIdentity,
    mayRead: catalog.canSelect,
    obstacles: obstaclesOf(catalog),
    unprovable: catalog.columns
      .filter((c) => !isProvable(c.type) || (c.generated && !c.publishable))
      .map((c) => c.name),
    columns: catalog.columns.map(({ name, type, declared }) => ({ name, type, declared })),
    total: counters?.total ?? null,
    perDay: counters && days !== null ? perDay(counters.total, days) : null,
  };
}

/**
 * Returns reasons for which `doctor` also refuses the capture of a table. Other reasons, such as a
 * missing key, follow from the other facts of the table.
 */
export function obstaclesOf(table: TableCatalog): string[] {
  const { leaves, heirs, persistence, key } = table;
  const parts = [table, ...leaves];
  const identities = parts.map((part) => part.replicaIdentity);
  const weak = identities.find((identity) => identity === 'nothing' || identity === 'index');
  const isLogged =
    persistence === 'p' && leaves.every((leaf) => leaf.kind === 'r' && leaf.persistence === 'p');
  return [
    ...(isLogged ? [] : ['not all of its rows are in the WAL, because it is unlogged or foreign']),
    ...(heirs.length > 0 ? [`${heirs.join(', ')} inherit from it`] : []),
    ...(weak ? [`its replica identity is ${weak}`] : []),
    ...(key.length > 0 && table.isKeyDeferrable && identities.includes('default')
      ? ['its primary key is DEFERRABLE']
      : []),
  ];
}

const perDay = ({ inserted, updated, deleted }: Changes, days: number): Changes => ({
  inserted: inserted / days,
  updated: updated / days,
  deleted: deleted / days,
});

interface Counters {
  readonly total: Changes;
  readonly live: number;
}

/**
 * Reads the counters of a table. Postgres counts the changes of a partitioned table only at its
 * partitions, and the counters of the table itself stay 0. Returns null if the relation or one of
 * its partitions has no counters: a view and a foreign partition have none. Also returns null for a
 * partitioned table without partitions.
 */
export async function countersOf(
  client: pg.ClientBase,
  { name, kind, leaves }: Pick<TableCatalog, 'name' | 'kind' | 'leaves'>,
): Promise<Counters | null> {
  const parts = kind === 'p' ? leaves.map((leaf) => leaf.name) : [qualified(name)];
  const row = await one(
    client,
    `SELECT count(*) AS parts, coalesce(sum(n_tup_ins), 0) AS inserted, coalesce(sum(n_tup_upd), 0) AS updated,
       coalesce(sum(n_tup_del), 0) AS deleted, coalesce(sum(n_live_tup), 0) AS live
     FROM pg_stat_user_tables WHERE relid IN (SELECT part::regclass FROM unnest($1::text[]) AS part)`,
    [parts],
  );
  const number = (column: string): number => Number(row[column]);
  if (parts.length === 0 || number('parts') < parts.length) return null;
  return {
    total: {
      inserted: number('inserted'),
      updated: number('updated'),
      deleted: number('deleted'),
    },
    live: number('live'),
  };
}

async function readRuns(client: pg.ClientBase, log: string): Promise<RunFacts> {
  const row = await one(
    client,
    `SELECT count(finished_at) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) * 1000 AS median,
       max(finished_at) AS last, count(*) FILTER (WHERE finished_at IS NULL) AS unfinished
     FROM (SELECT started_at, finished_at FROM ${qualified(parseTableName(log))} ORDER BY started_at DESC LIMIT 1000) AS newest`,
  );
  if (Number(row['n']) === 0) throw new Error(`${log} contains no finished run`);
  return {
    count: Number(row['n']),
    medianMs: Number(row['median']),
    lastFinishedAt: row['last']!,
    unfinished: Number(row['unfinished']),
  };
}
