// Tests `connector.snapshot: incremental` while changes are in the WAL, and in the topic, before
// any other session sees them. Debezium then reads a chunk without these changes. The chunk's
// records follow those of the changes in the topic, and so overwrite them.
import { describe, expect, it } from 'vitest';
import { connectAccess, connectRest } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, dismantle, live } from '../support/live.js';
import { get, sluice, startMigration, waitFor } from '../support/sluice.js';
import { hasRecord } from '../support/records-of-topic.js';
import { waitingServer } from '../support/waiting-server.js';

const { worker } = live();
const CHANGES = [
  'UPDATE accounts SET balance = 777 WHERE id = 7',
  'DELETE FROM accounts WHERE id = 8',
  'UPDATE accounts SET id = 90 WHERE id = 9',
];
/**
 * Debezium reports this when it has read a chunk. It may write the chunk only later: it waits for a
 * transaction of this database that is newer than the chunk, or for the end of older ones.
 */
const CHUNK_IS_READ = '"IN_PROGRESS"';

const server = waitingServer(24);

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
    'repeats the changes that it overwrote, even after a kill, and every window passes (%s)',
    async (name, disturb) => {
      const database = name.replace('-', '_');
      await server.ask('postgres', `CREATE DATABASE ${database}`);
      const client = await server.open(database);
      await client.query(accounts(50));
      startMigration(name, database, ['public.accounts'], {
        source: { postgres: server.source(database), tables: ['public.accounts'] },
        connector: { type: 'debezium-postgres', ...connectAccess(), snapshot: 'incremental' },
      });
      const slots = (): Promise<unknown[]> =>
        server.ask(
          database,
          'SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn IS NOT NULL',
        );
      await sleepUntil('the slot', async () => (await slots()).length === 1);
      // the signal for the load waits for this transaction, so that it comes after the changes
      await client.query('BEGIN; SELECT pg_current_xact_id()');
      await sleepUntil('the load waits', () => server.doesLoadWait(database));
      const changed = server.runWaiting(database, CHANGES);
      await sleepUntil('the changes', () => hasRecord(`${name}.public.accounts`, '"id":90'));
      await client.query('COMMIT');
      await sleepUntil('the chunk', () => hasRecord(`${name}.notifications`, CHUNK_IS_READ));
      await server.letCommitsEnd();
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
