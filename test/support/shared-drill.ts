// Sets up a shared table for a drill (a test of the cut-over on a real database). It makes the
// table with its rows, the staging table, and a migration whose route is the shared table. A sink
// writes to the staging table until the commit.
import pg from 'pg';
import { LEASE, type Drill } from '../../bench/drill.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';

export const STAGING = 'sluice_sluice_drill.stream';
/** The roles of batch and stream. Roles belong to the server, so each test file has its own. */
export const NIGHTLY = `rows_nightly_${process.pid}`;
export const STREAM = `rows_stream_${process.pid}`;

/** Creates the tables again. The lease row then allows the batch to write, not the stream. */
export async function resetShared(drill: Drill): Promise<void> {
  await drill.client
    .query(`DROP TABLE IF EXISTS shared CASCADE; DROP TABLE IF EXISTS ${STAGING}, sluice_sluice_drill.kept; DROP FUNCTION IF EXISTS sluice_sluice_drill.keep_owner();
    CREATE TABLE shared (id int PRIMARY KEY, n numeric, doc json, serial bigint GENERATED ALWAYS AS IDENTITY, twice numeric GENERATED ALWAYS AS (n * 2) STORED);
    GRANT SELECT, INSERT, UPDATE, DELETE ON shared TO ${NIGHTLY}, ${STREAM};
    INSERT INTO shared (id, n, doc) VALUES (1, 1.0, '{"a": 1}'), (2, 2, NULL), (3, 3, '{}'), (9, 9, '{"only": "here"}');
    CREATE TABLE ${STAGING} (id int PRIMARY KEY, n numeric, doc json); INSERT INTO ${STAGING} VALUES (1, 1.00, '{"a": 1}'), (2, 2, NULL), (3, 3.5, '{}'), (4, 4, '{}');
    INSERT INTO ${LEASE} (migration, state, epoch) VALUES ('${drill.ref().name}', 'OPEN', 0) ON CONFLICT (migration) DO UPDATE SET state = 'OPEN', token = NULL, expires_at = NULL`);
}

/** Returns the drill's migration with the shared table as its route. */
export function sharedRef(drill: Drill): MigrationRef {
  const { spec, ...rest } = drill.ref();
  const { cutover, sink, batch, validation, ...parts } = spec.spec;
  return {
    ...rest,
    spec: {
      ...spec,
      spec: {
        ...parts,
        validation: { ...validation, compare: { ...validation.compare, ignore: ['serial'] } },
        sink: { ...sink!, table: 'public.shared' },
        batch: {
          ...batch!,
          result: { table: 'public.shared', key: ['id'] },
          query: {
            sql: `SELECT id, n, doc FROM (VALUES (1, 1.5, '{"b": 2}'::json), (2, 2, NULL)) AS q (id, n, doc);`,
          },
        },
        cutover: {
          ...cutover,
          maxHold: '5s',
          route: {
            type: 'postgres-table',
            table: 'public.shared',
            batchRole: NIGHTLY,
            streamRole: STREAM,
          },
        },
      },
    },
  };
}

/** Creates the roles of the batch and of the stream. */
export async function makeRoles(drill: Drill): Promise<void> {
  await drill.client
    .query(`DROP ROLE IF EXISTS ${NIGHTLY}; DROP ROLE IF EXISTS ${STREAM}; CREATE ROLE ${NIGHTLY} LOGIN PASSWORD 'n'; CREATE ROLE ${STREAM};
    GRANT USAGE ON SCHEMA public TO ${STREAM}, ${NIGHTLY}`);
}

export async function dropRoles(drill: Drill): Promise<void> {
  await drill.client.query(
    `DROP OWNED BY ${NIGHTLY}, ${STREAM}; DROP ROLE ${NIGHTLY}; DROP ROLE ${STREAM}`,
  );
}

/** Returns the rows of the shared table. */
export async function sharedRows(drill: Drill): Promise<unknown[]> {
  const { rows } = await drill.client.query(
    `SELECT id, n::text, doc::text FROM shared ORDER BY id`,
  );
  return rows.map((row) => Object.values(row as object));
}

/** Opens a session of the batch's role. */
export async function asNightly({ database }: Drill): Promise<pg.Client> {
  const nightly = new pg.Client({ database, user: NIGHTLY, password: 'n' });
  nightly.on('error', () => undefined);
  await nightly.connect();
  return nightly;
}

/**
 * Returns the SQLSTATE of the refusal, or null if the write was accepted. The write is rolled back.
 */
export const write = (client: pg.Client, sql: string): Promise<string | null> =>
  client.query(`BEGIN; ${sql}; ROLLBACK`).then(
    () => null,
    async (error: unknown) => {
      await client.query('ROLLBACK');
      return (error as { code: string }).code;
    },
  );
/**
 * Returns the SQL of a write by the stream's role. `since` names the switch that made the stream
 * the owner: the iteration and the lease row's `epoch`, such as `1.3`. The session passes it in the
 * setting `sluice.owner`.
 */
export const asStream = (since: string): string =>
  `SET LOCAL ROLE ${STREAM}; SET LOCAL sluice.owner = '${since}'; UPDATE shared SET n = 0`;

/** Returns whether the batch's role has any privilege to write to the shared table. */
export async function batchMayWrite({ client }: Drill): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT has_table_privilege('${NIGHTLY}', 'shared', 'INSERT, UPDATE, DELETE') AS may`,
  );
  return rows[0]!.may;
}
