// Tests `connector.snapshot: initial` if the connector restarts while it scans a table. It then
// scans the table again, and reads the WAL only from the second scan on.
import { describe, expect, it } from 'vitest';
import { connectAccess, kafkaPort } from '../support/access.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, live } from '../support/live.js';
import { get, reach, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const ROWS = 200_000;

/** Starts a migration. In the middle of the scan, calls `change` and restarts the connector. */
async function startAndRestart(
  name: string,
  database: string,
  change: () => Promise<unknown>,
): Promise<void> {
  startMigration(name, database, ['public.accounts'], {
    connector: { type: 'debezium-postgres', ...connectAccess() },
  });
  const kafka = kafkaPort();
  const records = async (): Promise<number> =>
    (await kafka.offsets(`${name}.public.accounts`).catch(() => []))[0]?.committed ?? 0;
  await sleepUntil('the first rows', async () => (await records()) > 5000, 600_000, 10);
  await change();
  await askConnect('POST', `${name}/restart?includeTasks=true`);
  expect(await records()).toBeLessThan(ROWS);
  await kafka.disconnect();
}

const rollBack = async (name: string): Promise<void> => {
  expect(sluice('rollback', name, '--reason', 'test', '--yes').code).toBe(0);
  await waitFor(name, 'outcome=rolled-back');
};

describe('an initial load whose connector restarts', () => {
  it('fails if a row was deleted between its scans, and a retry loads new topics exactly', async () => {
    const { name: database, client } = await aDatabase(accounts(ROWS));
    const name = 'restarted-load';
    await startAndRestart(name, database, () => client.query('DELETE FROM accounts WHERE id = 5'));
    const { blocked } = await reach(name, 'a block', (status) => status.blocked !== null);
    expect(blocked).toMatchObject({
      code: 'snapshot-failed',
      detail: expect.stringMatching(/still in the topics: 1 of public\.accounts$/) as string,
    });
    expect(sluice('retry', name).code).toBe(0);
    await waitFor(name, 'approval');
    const { windows } = await get(name);
    expect(windows.filter((w) => w.verdict !== 'passed')).toEqual([]);
    await rollBack(name);
  });

  it('is complete if no row was deleted between its scans', async () => {
    const { name: database, client } = await aDatabase(accounts(ROWS));
    const name = 'rescanned-load';
    const changes = `UPDATE accounts SET balance = 777 WHERE id = 5; INSERT INTO accounts VALUES (-1, 1, 'new')`;
    await startAndRestart(name, database, () => client.query(changes));
    await waitFor(name, 'approval');
    const { windows } = await get(name);
    expect(windows.filter((w) => w.verdict !== 'passed')).toEqual([]);
    await rollBack(name);
  });
});
