// Checks the source database, read-only. The checks of its tables are in table-checks.ts. If the
// query of a check cannot run, the check is unknown.
import type pg from 'pg';
import { readTable, type TableCatalog } from '../../clients/postgres/catalog.js';
import { readSource, type ResolveSecret } from '../../clients/postgres/connection.js';
import { slotUse } from '../../clients/postgres/slots.js';
import { SNAPSHOT_LIMIT_MS } from '../../connectors/debezium-postgres.js';
import { isFailoverSlot } from '../../domain/capture/failover.js';
import type { Check } from '../../domain/evidence/check.js';
import { formatMs } from '../../domain/values/duration.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { isLeaseInSource } from '../../domain/migration/databases.js';
import type { Deps } from '../runtime/deps.js';
import { WITNESS_FROM_ROWS, WITNESS_KEYS } from '../../domain/evidence/witness.js';
import { attempt, failed, inTurn, passed, type Answer } from '../runtime/make-finding.js';
import { canFailOver } from './failover-check.js';
import { checkPrivileges } from './missing-privileges.js';
import { tryReplication } from './replication-check.js';
import { connectionLimits, timeLimits } from './session-limits.js';
import { asking, mayCreate, notReached, serverQuestions, type Ask } from './server-questions.js';
import { checkTable } from './table-checks.js';
import { walHeadroom } from './wal-headroom.js';
import { noLongTransactions } from '../capture/load/long-writers.js';

export async function checkSource(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  const { host, port, database, user } = plan.spec.source.postgres;
  const place = `${user}@${host}:${port}/${database}`;
  try {
    return await readSource(plan, secret, async (client) => {
      const server = await checkServer(client, plan, secret);
      const tables: Check[] = [];
      const catalogs: TableCatalog[] = [];
      for (const { text } of plan.tables) {
        const catalog = await readTable(client, text);
        tables.push(
          ...(catalog
            ? await checkTable(client, plan, text, catalog)
            : [
                failed(
                  'table.exists',
                  text,
                  `the table does not exist in database ${database}`,
                  'create it, or correct spec.source.tables',
                ),
              ]),
        );
        if (catalog) catalogs.push(catalog);
      }
      const limits = await inTurn([
        () =>
          attempt('source.time-limits', () =>
            timeLimits(client, plan, 'source', predictedMs(plan, catalogs)),
          ),
        () => attempt('source.connections', () => connectionLimits(client, plan, 'source')),
        ...(plan.capture.hasSlot
          ? [() => attempt('source.slots', () => freeSlots(client, plan, catalogs))]
          : []),
      ]);
      const rights = await checkPrivileges(client, plan, 'source', [...server, ...tables]);
      return [
        passed('source.reachable', '', `connected to ${place}`),
        ...server,
        ...limits,
        ...tables,
        ...rights,
        predictSnapshot(plan, catalogs),
      ];
    });
  } catch (error) {
    return [notReached('source', place, error)];
  }
}

async function checkServer(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  secret: ResolveSecret,
): Promise<Check[]> {
  const one = asking(client);
  const { hasSlot } = plan.capture;
  const needsToCreate = isLeaseInSource(plan) || hasSlot;
  return inTurn([
    ...serverQuestions(one, 'source'),
    ...(hasSlot ? logQuestions(client, one, plan, secret) : []),
    ...(needsToCreate
      ? [
          mayCreate(one, 'source', plan.spec.source.postgres, {
            may: 'the role may create a publication and a schema',
            mayNot: 'cannot create a publication and a schema in this database',
          }),
        ]
      : []),
  ]);
}

/**
 * Checks the requirements for reading the write-ahead log. They do not apply to a polling
 * connector.
 */
function logQuestions(
  client: pg.ClientBase,
  one: Ask,
  plan: ResolvedPlan,
  secret: ResolveSecret,
): (() => Promise<Check>)[] {
  const { walBudget, postgres } = plan.spec.source;
  return [
    () =>
      attempt('source.wal-level', async () => {
        const level = (await one('SHOW wal_level'))['wal_level'];
        return level === 'logical'
          ? 'wal_level is logical'
          : {
              detail: `wal_level is ${level}, not logical`,
              remedy: 'set wal_level = logical and restart the server',
            };
      }),
    () =>
      attempt('source.senders', async () =>
        headroom(
          await one(
            `SELECT current_setting('max_wal_senders')::int AS most, (SELECT count(*) FROM pg_stat_replication) AS used`,
          ),
          'WAL senders',
          'max_wal_senders',
        ),
      ),
    () => attempt('source.wal-headroom', () => walHeadroom(client, walBudget.bytes)),
    () => attempt('source.replication', () => tryReplication(client, plan, secret)),
    ...(isFailoverSlot(plan) ? [() => attempt('source.failover', () => canFailOver(client))] : []),
    () => attempt('source.long-transactions', () => noLongTransactions(client, postgres.user)),
  ];
}

/**
 * Checks that at least two replication slots are free, or three if the migration may use a witness.
 */
export async function freeSlots(
  client: pg.ClientBase,
  { spec }: ResolvedPlan,
  tables: readonly TableCatalog[],
): Promise<Answer> {
  const { engine, laterWindows, compare } = spec.validation;
  const inHold =
    engine === 'embedded' &&
    tables.some(({ rowsEstimate }) => rowsEstimate >= WITNESS_FROM_ROWS) &&
    tables.every((table) => canBeWitnessed(table, Object.keys(compare.tolerances)));
  const use = await slotUse(client);
  const needed = inHold || laterWindows === 'witness' ? 3 : 2;
  return headroom(use, 'replication slots', 'max_replication_slots', needed);
}

/**
 * Returns whether a witness can tell which rows of a table changed. The cut-over uses a witness
 * only if this is true for every table.
 */
function canBeWitnessed(
  { name, columns, key }: TableCatalog,
  tolerant: readonly string[],
): boolean {
  const type = columns.find((column) => column.name === key[0])?.type ?? '';
  const names = columns.flatMap((c) => [c.name, `${name.schema}.${name.table}.${c.name}`]);
  return (
    key.length === 1 &&
    WITNESS_KEYS.includes(type) &&
    !names.some((column) => tolerant.includes(column))
  );
}

function headroom(
  use: Readonly<Record<string, unknown>>,
  what: string,
  setting: string,
  needed = 2,
): string | { detail: string; remedy: string } {
  const [used, most] = [Number(use['used']), Number(use['most'])];
  const free = most - used;
  return free >= needed
    ? `${free} ${what} free`
    : {
        detail: `${free} ${what} free, and ${needed} are needed${needed > 2 ? ', one of them for a witness' : ''} (${used} of ${most} are used)`,
        remedy: `raise ${setting} (needs a restart) or drop unused ones`,
      };
}

const rowsOf = (tables: readonly TableCatalog[]): number =>
  tables.reduce((sum, t) => sum + t.rowsEstimate, 0);

const predictedMs = ({ capture }: ResolvedPlan, tables: readonly TableCatalog[]): number =>
  (rowsOf(tables) / capture.loading.rowsPerSecond) * 1000;

function predictSnapshot(plan: ResolvedPlan, tables: readonly TableCatalog[]): Check {
  const rows = rowsOf(tables);
  const predicted = predictedMs(plan, tables);
  const detail = `the initial snapshot of about ${rows} rows is predicted to take ${formatMs(predicted)}`;
  if (!plan.capture.loading.holdsSnapshot)
    return passed(
      'source.snapshot-time',
      '',
      `about ${rows} rows are read in chunks, without a long transaction`,
    );
  return predicted <= SNAPSHOT_LIMIT_MS
    ? passed('source.snapshot-time', '', detail)
    : failed(
        'source.snapshot-time',
        '',
        `${detail}, which is more than ${formatMs(SNAPSHOT_LIMIT_MS)}: one long transaction delays vacuum`,
        'read it in chunks (connector.snapshot: incremental), or waive this check if the source tolerates such a transaction',
      );
}
