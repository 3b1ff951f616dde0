// Tests `connector.snapshot: incremental` while changes are in the WAL, and in the topic, before
// any other session sees them. Debezium then reads a chunk without these changes. The chunk's
// records follow those of the changes in the topic, and so overwrite them.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTopic } from '../../src/clients/kafka/records.js';
import { stackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { PG_PASSWORD, PG_USER, ask, startPostgres } from '../../stack/services/postgres.js';
import { connectAccess, connectRest, kafkaPort } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, dismantle, live } from '../support/live.js';
import { get, sluice, startMigration, testPostgres, waitFor } from '../support/sluice.js';

const { worker } = live();
const CHANGES = [
  'UPDATE accounts SET balance = 777 WHERE id = 7',
  'DELETE FROM accounts WHERE id = 8',
  'UPDATE accounts SET id = 90 WHERE id = 9',
];
/**
 * On this server, the commit of a session with `synchronous_commit = on` waits for a standby that
 * does not exist. The WAL contains the commit, but no other session sees it.
 */
const SETTINGS = ['synchronous_standby_names=nobody', 'synchronous_commit=local'];
/**
 * Debezium reports this when it has read a chunk. It may write the chunk only later: it waits for a
 * transaction of this database that is newer than the chunk, or for the end of older ones.
 */
const CHUNK_IS_READ = '"IN_PROGRESS"';

const main = stackHome();
const dir = join(main.dir, 'waiting');
const ports = { ...main.ports, postgres: main.ports.postgres + 24 };
const home = { ...main, dir, logs: join(dir, 'logs'), pids: join(dir, 'pids'), ports };

async function removeServer(): Promise<void> {
  await stop(home, 'postgres');
  rmSync(dir, { recursive: true, force: true });
}
beforeAll(async () => {
  await removeServer(); // what an interrupted run left
  await startPostgres(home, () => undefined, { settings: SETTINGS });
});
afterAll(removeServer);

async function open(database: string): Promise<pg.Client> {
  const { postgres: port } = home.ports;
  const client = new pg.Client({ port, database, user: PG_USER, password: PG_PASSWORD });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Runs each statement in a transaction of its own, whose commit waits until `letCommitsEnd`. */
async function runWaiting(database: string, statements: readonly string[]): Promise<void> {
  const run = async (sql: string): Promise<void> => {
    const client = await open(database);
    await client.query('SET synchronous_commit = on');
    await client.query(sql);
    await client.end();
  };
  await Promise.all(statements.map(run));
}

/** Postgres ends the wait of a cancelled commit, and keeps the commit. */
const letCommitsEnd = (): Promise<unknown> =>
  ask(
    home,
    'postgres',
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
  );

/** Returns true if a record of the topic contains the text. */
async function hasRecord(topic: string, text: string): Promise<boolean> {
  let has = false;
  const kafka = kafkaPort();
  await readTopic(kafka, topic, ({ value }) => {
    has ||= value !== null && value.toString().includes(text);
  });
  await kafka.disconnect();
  return has;
}

async function untilState(connector: string, state: string): Promise<void> {
  const rest = connectRest();
  const isSo = async (): Promise<boolean> =>
    (await rest.status(connector).catch(() => null))?.connector.state === state;
  await sleepUntil(`the connector is ${state}`, isSo, 600_000, 10);
}

/** Kills the worker when it has stopped the connector after the load, and starts another one. */
async function killWhileStopped(connector: string): Promise<void> {
  await untilState(connector, 'STOPPED');
  await worker.restart();
}

describe('an initial load in chunks', () => {
  it.each([
    ['overwritten', null],
    ['overwritten-killed', killWhileStopped],
  ])(
    'repeats the changes that it overwrote, and every window passes (%s)',
    async (name, disturb) => {
      const database = name.replace('-', '_');
      await ask(home, 'postgres', `CREATE DATABASE ${database}`);
      const client = await open(database);
      await client.query(accounts(50));
      startMigration(name, database, ['public.accounts'], {
        source: {
          postgres: { ...testPostgres(database), port: home.ports.postgres },
          tables: ['public.accounts'],
        },
        connector: { type: 'debezium-postgres', ...connectAccess(), snapshot: 'incremental' },
      });
      const slots = (): Promise<unknown[]> =>
        ask(home, database, 'SELECT 1 FROM pg_replication_slots');
      await sleepUntil('the slot', async () => (await slots()).length === 1);
      const changed = runWaiting(database, CHANGES);
      await untilState(name, 'RUNNING');
      worker.send('SIGSTOP'); // so that the signal for the load comes after the changes
      await sleepUntil('the changes', () => hasRecord(`${name}.public.accounts`, '"id":90'));
      worker.send('SIGCONT');
      await sleepUntil('the chunk', () => hasRecord(`${name}.notifications`, CHUNK_IS_READ));
      await letCommitsEnd();
      await changed;
      await disturb?.(name);

      await waitFor(name, 'approval');
      expect((await get(name)).windows.filter((w) => w.verdict !== 'passed')).toEqual([]);
      expect(sluice('audit', name).stdout).toMatch(/had overwritten changes of 3 rows/);
      const approved = sluice('approve', name, '--approver', 'ann', '--reason', 'proven', '--yes');
      expect(approved.code, approved.stderr).toBe(0);
      await waitFor(name, 'outcome=migrated');
      await dismantle(client, name);
      await client.end();
    },
  );
});
