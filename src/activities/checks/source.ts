// Read-only checks of the legacy database and its tables. Each is done, not deduced: what could not be asked is unknown.
import type pg from 'pg';
import { readTable, type ReplicaIdentity, type TableCatalog } from '../../clients/catalog.js';
import { withSource } from '../../clients/source.js';
import { SNAPSHOT_LIMIT_MS } from '../../connectors/debezium-postgres.js';
import { COPY_ROWS_PER_SECOND, SNAPSHOT_ROWS_PER_SECOND } from '../../domain/rates.js';
import { changelogTables } from '../../connectors/flink-shapes.js';
import { isProvable } from '../../compare/column-types.js';
import { canReplay } from '../../compare/debezium-json.js';
import type { Check } from '../../domain/check.js';
import { formatMs, sizeBytes } from '../../domain/duration.js';
import { qualified } from '../../domain/names.js';
import { pollingOf } from '../../domain/polling.js';
import type { MigrationSpec } from '../../domain/spec.js';
import { classify } from '../failure.js';
import type { Deps } from '../deps.js';
import { attempt, failed, inTurn, passed } from './result.js';

export async function checkSource({ secret }: Pick<Deps, 'secret'>, spec: MigrationSpec): Promise<Check[]> {
  const { host, port, database, user } = spec.spec.source.postgres;
  const place = `${user}@${host}:${port}/${database}`;
  try {
    return await withSource(spec, secret, async (client) => {
      const server = await checkServer(client, spec);
      const tables: Check[] = [];
      const catalogs: TableCatalog[] = [];
      for (const text of spec.spec.source.tables) {
        const catalog = await readTable(client, text);
        tables.push(
          ...(catalog
            ? await checkTable(client, spec, text, catalog)
            : [failed('table.exists', text, `no such table in ${database}`, 'create it, or correct spec.source.tables')]),
        );
        if (catalog) catalogs.push(catalog);
      }
      return [passed('source.reachable', '', `connected to ${place}`), ...server, ...tables, predictSnapshot(spec, catalogs)];
    });
  } catch (error) {
    const problem = classify(error);
    return [
      failed(
        'source.reachable',
        '',
        `cannot connect to ${place}: ${problem.message}`,
        problem.code === 'permission-denied' ? problem.remedy : 'check host, port, database and credentials',
      ),
    ];
  }
}

type Ask = (sql: string) => Promise<Record<string, string | null>>;

async function checkServer(client: pg.ClientBase, spec: MigrationSpec): Promise<Check[]> {
  const one: Ask = async (sql) => (await client.query<Record<string, string | null>>(sql)).rows[0] ?? {};
  const needsToCreate = spec.spec.batch !== undefined || !pollingOf(spec);
  return inTurn([...serverQuestions(one), ...(pollingOf(spec) ? [] : logQuestions(one, spec)), ...(needsToCreate ? [mayCreate(one, spec)] : [])]);
}

/** What the server must be and have to spare. */
function serverQuestions(one: Ask): (() => Promise<Check>)[] {
  return [
    () =>
      attempt('source.version', async () => {
        const version = Number((await one('SHOW server_version_num'))['server_version_num']);
        return version >= 140000 && version < 190000
          ? `server version ${Math.floor(version / 10000)}`
          : { detail: `server version ${Math.floor(version / 10000)} is not 14 to 18`, remedy: 'use a supported server' };
      }),
    () =>
      attempt('source.primary', async () =>
        (await one('SELECT pg_is_in_recovery() AS standby'))['standby'] === 'f'
          ? 'the server is a primary'
          : { detail: 'the server is a standby', remedy: 'name the primary: evidence from a replica can be stale' },
      ),
  ];
}

/** What reading the log needs; who polls needs none of it. */
function logQuestions(one: Ask, spec: MigrationSpec): (() => Promise<Check>)[] {
  return [
    () =>
      attempt('source.wal-level', async () => {
        const level = (await one('SHOW wal_level'))['wal_level'];
        return level === 'logical'
          ? 'wal_level is logical'
          : { detail: `wal_level ${level} ≠ logical`, remedy: 'set wal_level = logical and restart the server' };
      }),
    () =>
      attempt('source.slots', async () =>
        headroom(
          await one(`SELECT current_setting('max_replication_slots')::int AS most, (SELECT count(*) FROM pg_replication_slots) AS used`),
          'replication slots',
          'max_replication_slots',
        ),
      ),
    () =>
      attempt('source.senders', async () =>
        headroom(
          await one(`SELECT current_setting('max_wal_senders')::int AS most, (SELECT count(*) FROM pg_stat_replication) AS used`),
          'WAL senders',
          'max_wal_senders',
        ),
      ),
    () =>
      attempt('source.wal-headroom', async () => {
        const keep = Number((await one(`SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'`))['setting']);
        const budget = sizeBytes(spec.spec.source.walBudget.bytes);
        return keep < 0 || keep * 1024 * 1024 >= budget
          ? `max_slot_wal_keep_size ${keep < 0 ? 'unlimited' : `${keep} MB`}`
          : {
              detail: `max_slot_wal_keep_size ${keep} MB < walBudget ${spec.spec.source.walBudget.bytes}: the server would drop our slot first`,
              remedy: 'lower spec.source.walBudget.bytes or raise max_slot_wal_keep_size',
            };
      }),
    () =>
      attempt('source.replication', async () => {
        const role = await one(
          `SELECT rolreplication OR rolsuper OR EXISTS (SELECT FROM pg_roles g WHERE g.rolname IN ('rds_replication', 'cloudsqlsuperuser', 'azure_pg_admin') AND pg_has_role(g.oid, 'MEMBER')) AS can FROM pg_roles WHERE rolname = current_user`,
        );
        return role['can'] === 't'
          ? 'the role may replicate'
          : {
              detail: `role ${spec.spec.source.postgres.user} may not create replication slots`,
              remedy: `ALTER ROLE ${spec.spec.source.postgres.user} REPLICATION`,
            };
      }),
    () =>
      attempt('source.long-transactions', async () => {
        const old = await one(
          `SELECT count(*) AS n, max(now() - xact_start)::text AS age FROM pg_stat_activity WHERE xact_start < now() - interval '10 minutes' AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL`,
        );
        return old['n'] === '0'
          ? 'no writing transaction is older than 10 minutes'
          : { detail: `${old['n']} writing transaction(s) open, the oldest for ${old['age']}: creating a slot waits for them`, remedy: 'wait for or end them' };
      }),
  ];
}

/** A publication, and a schema for the lease. Abilities, not names of roles. */
function mayCreate(one: Ask, spec: MigrationSpec): () => Promise<Check> {
  return () =>
    attempt('source.create', async () => {
      const may = await one(`SELECT has_database_privilege(current_database(), 'CREATE') AS can`);
      return may['can'] === 't'
        ? 'the role may create a publication and a schema'
        : {
            detail: `role ${spec.spec.source.postgres.user} may not create in this database`,
            remedy: `GRANT CREATE ON DATABASE ${spec.spec.source.postgres.database} TO ${spec.spec.source.postgres.user}`,
          };
    });
}

function headroom(row: Record<string, string | null>, what: string, setting: string): string | { detail: string; remedy: string } {
  const free = Number(row['most']) - Number(row['used']);
  return free >= 2
    ? `${free} ${what} free`
    : { detail: `${free} ${what} free < 2 needed (${row['used']} of ${row['most']} used)`, remedy: `raise ${setting} (needs a restart) or drop unused ones` };
}

/** No reason to refuse: where such rows are never updated, every window passes. */
const FAR_VALUES =
  '; it holds values out of line: an update that leaves such a value alone is sent without it, and the row stays unknown, unless the replica identity is FULL';

type Rule = (name: string, ok: boolean, good: string, bad: string, remedy: string) => void;

function checkPublishing(rule: Rule, spec: MigrationSpec, table: TableCatalog): void {
  const q = qualified(table.name);
  const mayBePublished = (identity: ReplicaIdentity): boolean => identity === 'full' || (identity === 'default' && table.key.length > 0);
  const weak = [{ name: q, replicaIdentity: table.replicaIdentity }, ...table.leaves].find((part) => !mayBePublished(part.replicaIdentity));
  const identity = weak?.replicaIdentity ?? table.replicaIdentity;
  const where = weak && weak.name !== q ? ` of partition ${weak.name}` : '';
  rule(
    'table.replica-identity',
    !weak,
    `replica identity ${identity}${identity === 'default' && table.holdsFarValues ? FAR_VALUES : ''}`,
    identity === 'index'
      ? `replica identity${where} by another index than the primary key`
      : `replica identity ${identity}${where} without a key: publishing this table would break the application's UPDATE and DELETE`,
    'use replica identity DEFAULT with a primary key, or FULL',
  );
  rule(
    'table.owner',
    table.isOwner,
    'we may publish it',
    'only its owner may publish a table',
    `GRANT the owner's role of ${q} to ${spec.spec.source.postgres.user}`,
  );
}

/** What of it never reaches the log; null = all of it does. */
function unloggedPart({ kind, persistence, leaves }: TableCatalog): string | null {
  if (!['r', 'p'].includes(kind) || persistence !== 'p') return 'not an ordinary, logged table';
  const foreign = leaves.find((leaf) => leaf.kind !== 'r' || leaf.persistence !== 'p');
  return foreign ? `partition ${foreign.name} is not an ordinary, logged table` : null;
}

async function checkTable(client: pg.ClientBase, spec: MigrationSpec, text: string, table: TableCatalog): Promise<Check[]> {
  const checks: Check[] = [];
  const isPolled = pollingOf(spec) !== null;
  const rule: Rule = (name, ok, good, bad, remedy) => void checks.push(ok ? passed(name, text, good) : failed(name, text, bad, remedy));
  const q = qualified(table.name);
  const unlogged = unloggedPart(table);
  rule(
    'table.kind',
    unlogged === null && (isPolled || table.heirs.length === 0),
    table.leaves.length > 0 ? `a partitioned table, ${table.leaves.length} partitions` : 'an ordinary table',
    unlogged ?? `${table.heirs.join(', ')} inherit from it: a query of it reads their rows too, and the log does not call them its own`,
    'name ordinary or partitioned tables',
  );
  rule('table.key', table.key.length > 0, `primary key (${table.key.join(', ')})`, 'no primary key', `ALTER TABLE ${q} ADD PRIMARY KEY (…)`);
  if (!isPolled) checkPublishing(rule, spec, table);
  if (changelogTables(spec).includes(text)) {
    const remedy = `ALTER TABLE ${q} REPLICA IDENTITY FULL, or read \`after\` by upsert-kafka`;
    const bad = `the pipeline reads it as debezium-json, and replica identity ${table.replicaIdentity} leaves out what a row was before: the job would fail at the first update, and start over for ever`;
    rule(
      'table.before-image',
      [table, ...table.leaves].every((part) => part.replicaIdentity === 'full'),
      'every change carries what the row was before',
      bad,
      remedy,
    );
  }
  rule('table.select', table.canSelect, 'readable', 'not readable', `GRANT SELECT ON ${q} TO ${spec.spec.source.postgres.user}`);
  if (table.canSelect) {
    checks.push(
      await attempt(
        'table.row-security',
        async () => {
          await client.query('SET row_security = off');
          await client.query(`SELECT 1 FROM ${q} LIMIT 1`);
          return 'every row is visible to us';
        },
        text,
        'row-level security hides rows from this role: use a role with BYPASSRLS',
      ),
    );
  }
  const ignored = new Set(spec.spec.validation.compare.ignore);
  const weak = table.columns.filter((c) => ((c.generated && !isPolled) || !isProvable(c.type)) && !ignored.has(c.name) && !ignored.has(`${text}.${c.name}`));
  rule(
    'table.types',
    weak.length === 0,
    `${table.columns.length} columns can be proven`,
    `cannot be proven: ${weak.map((c) => `${c.name} (${c.generated ? 'generated: not captured' : c.type})`).join(', ')}`,
    'list them in validation.compare.ignore, and say so to whoever approves',
  );
  if (spec.spec.connector.snapshot === 'copy' && !isPolled) checkCopy(rule, table);
  return checks;
}

/** Whether we can write every column as the connector would. */
function checkCopy(rule: Rule, { columns }: TableCatalog): void {
  const foreign = columns.filter((column) => !column.generated && !canReplay(column.type));
  rule(
    'table.copy',
    foreign.length === 0,
    'every column can be copied',
    `cannot be written as the connector would: ${foreign.map((c) => `${c.name} (${c.type})`).join(', ')}`,
    'let the connector load it: connector.snapshot: initial or incremental',
  );
}

function predictSnapshot(spec: MigrationSpec, tables: readonly TableCatalog[]): Check {
  const rows = tables.reduce((sum, t) => sum + t.rowsEstimate, 0);
  const predicted = (rows / (spec.spec.connector.snapshot === 'copy' ? COPY_ROWS_PER_SECOND : SNAPSHOT_ROWS_PER_SECOND)) * 1000;
  const detail = `initial snapshot of about ${rows} rows predicted to take ${formatMs(predicted)}`;
  const { snapshot } = spec.spec.connector;
  if (snapshot === 'incremental') return passed('source.snapshot-time', '', `about ${rows} rows, read in chunks: no long transaction`);
  return predicted <= SNAPSHOT_LIMIT_MS
    ? passed('source.snapshot-time', '', detail)
    : failed(
        'source.snapshot-time',
        '',
        `${detail} > ${formatMs(SNAPSHOT_LIMIT_MS)}: one long transaction holds back vacuum`,
        'read it in chunks (connector.snapshot: incremental), or waive it by name if the source can bear it',
      );
}
