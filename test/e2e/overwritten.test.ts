// Tests `connector.snapshot: incremental` while changes are in the WAL, and in the topic, before any
// other session sees them. Debezium then reads a chunk without these changes, and overwrites them.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { connectAccess, connectRest } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, dismantle, live } from '../support/live.js';
import { get, reach, sluice, startMigration, waitFor, withDatabase } from '../support/sluice.js';

const { aDatabase, worker } = live();
const CHANGES = [
  'UPDATE accounts SET balance = 777 WHERE id = 7',
  'DELETE FROM accounts WHERE id = 8',
  'UPDATE accounts SET id = 90 WHERE id = 9',
];

/** Runs each statement in a transaction of its own, which waits for a standby. */
async function runWaiting(database: string, statements: readonly string[]): Promise<void> {
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client({ database });
    await client.connect();
    try {
      await client.query('SET synchronous_commit = on');
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await Promise.all(statements.map(run));
}

/**
 * Makes commits of sessions with `synchronous_commit = on` wait for a standby that does not exist.
 * The WAL contains such a commit, but no other session sees it. All other sessions do not wait.
 */
async function whileCommitsWait(use: () => Promise<void>): Promise<void> {
  const set = (sql: string) =>
    withDatabase('postgres', async (admin) => {
      await admin.query(sql);
      await admin.query('SELECT pg_reload_conf()');
    });
  await set(`ALTER SYSTEM SET synchronous_commit = 'local'`);
  try {
    await set(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await use();
  } finally {
    await set('ALTER SYSTEM RESET synchronous_standby_names');
    await set('ALTER SYSTEM RESET synchronous_commit');
  }
}

/** Kills the worker when it has stopped the connector after the load, and starts another one. */
async function killWhileStopped(connector: string): Promise<void> {
  const rest = connectRest();
  for (const state of ['RUNNING', 'STOPPED'])
    await sleepUntil(
      `the connector is ${state}`,
      async () => (await rest.status(connector).catch(() => null))?.connector.state === state,
      600_000,
      10,
    );
  await worker.restart();
}

describe('an initial load in chunks', () => {
  it.each([
    ['overwritten', null],
    ['overwritten-killed', killWhileStopped],
  ])(
    'repeats the changes that it overwrote, and then every window passes (%s)',
    async (migration, disturb) => {
      const { name, client } = await aDatabase(accounts(50));
      const hasSlot = async (): Promise<boolean> => {
        const slots = await client.query(
          'SELECT 1 FROM pg_replication_slots WHERE database = current_database()',
        );
        return slots.rows.length === 1;
      };
      let changed: Promise<void> | undefined;
      await whileCommitsWait(async () => {
        startMigration(migration, name, ['public.accounts'], {
          connector: { type: 'debezium-postgres', ...connectAccess(), snapshot: 'incremental' },
        });
        await sleepUntil('the slot', hasSlot);
        changed = runWaiting(name, CHANGES);
        changed.catch(() => undefined);
        const disturbed = disturb?.(migration);
        await reach(migration, 'the load', ({ tables }) => tables[0]?.rowsScanned === 50);
        await disturbed;
      });
      await changed;
      await waitFor(migration, 'approval');
      const approved = sluice(
        'approve',
        migration,
        '--approver',
        'ann',
        '--reason',
        'proven',
        '--yes',
      );
      expect(approved.code, approved.stderr).toBe(0);
      await waitFor(migration, 'outcome=migrated');
      expect((await get(migration)).windows.filter((w) => w.verdict !== 'passed')).toEqual([]);
      expect(sluice('audit', migration).stdout).toMatch(/had overwritten changes of 3 rows/);
      await dismantle(client, migration);
    },
  );
});
