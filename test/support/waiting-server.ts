// Runs a Postgres server on which a commit can wait for a standby that does not exist. The WAL then
// contains the commit, but no other session sees it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { stackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { PG_PASSWORD, PG_USER, ask, startPostgres } from '../../stack/services/postgres.js';
import { testPostgres } from './sluice.js';

/** By default, commits wait for no standby. With `synchronous_commit = on`, they wait for it. */
const SETTINGS = ['synchronous_standby_names=nobody', 'synchronous_commit=local'];

export interface WaitingServer {
  readonly ask: (database: string, sql: string) => Promise<Record<string, unknown>[]>;
  readonly open: (database: string) => Promise<pg.Client>;
  /** The `source.postgres` of a spec. */
  readonly source: (database: string) => object;
  /** Runs each statement in a transaction of its own, which waits until `letCommitsEnd`. */
  readonly runWaiting: (database: string, statements: readonly string[]) => Promise<void>;
  /** Returns true if a load waits until sessions see all commits. */
  readonly doesLoadWait: (database: string) => Promise<boolean>;
  /** Postgres ends the wait of a cancelled commit, and keeps the commit. */
  readonly letCommitsEnd: () => Promise<unknown>;
}

/** Starts the server before the tests of a file, and removes it after them. */
export function waitingServer(offset: number): WaitingServer {
  const main = stackHome();
  const dir = join(main.dir, `waiting-${offset}`);
  const ports = { ...main.ports, postgres: main.ports.postgres + offset };
  const home = { ...main, dir, logs: join(dir, 'logs'), pids: join(dir, 'pids'), ports };
  const remove = async (): Promise<void> => {
    await stop(home, 'postgres');
    rmSync(dir, { recursive: true, force: true });
  };
  beforeAll(async () => {
    await remove(); // what an interrupted run left
    await startPostgres(home, () => undefined, { settings: SETTINGS });
  });
  afterAll(remove);
  const open = async (database: string): Promise<pg.Client> => {
    const { postgres: port } = ports;
    const client = new pg.Client({ port, database, user: PG_USER, password: PG_PASSWORD });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  return {
    open,
    ask: (database, sql) => ask(home, database, sql),
    source: (database) => ({ ...testPostgres(database), port: ports.postgres }),
    runWaiting: async (database, statements) => {
      const run = async (sql: string): Promise<void> => {
        const client = await open(database);
        await client.query('SET synchronous_commit = on');
        await client.query(sql);
        await client.end();
      };
      await Promise.all(statements.map(run));
    },
    doesLoadWait: async (database) =>
      (
        await ask(
          home,
          database,
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pg_snapshot_xmin%'`,
        )
      ).length > 0,
    letCommitsEnd: () =>
      ask(
        home,
        'postgres',
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      ),
  };
}
