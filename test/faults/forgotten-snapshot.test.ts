// Tests that an initial load in chunks (`snapshot: incremental`) is completed after the connector
// has lost its position.
import { expect, it } from 'vitest';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, live } from '../support/live.js';
import { get, sluice, startMigration, waitFor } from '../support/sluice.js';

const NAME = 'forgotten';
const { aDatabase } = live();

/**
 * Makes the connector lose its position, as if its Connect worker were killed before the first
 * commit of an offset.
 */
async function forget(): Promise<void> {
  const connector = `${process.env['CONNECT_URL']}/connectors/${NAME}`;
  const ask = async (path: string, method: string): Promise<boolean> =>
    (await fetch(`${connector}/${path}`, { method })).ok;
  expect(await ask('stop', 'PUT')).toBe(true);
  await sleepUntil('the connector is stopped', () => ask('offsets', 'DELETE'));
  expect(await ask('resume', 'PUT')).toBe(true);
}

it('a connector that lost its position gets the signal for its load in chunks again; the load is exact', async () => {
  const database = await aDatabase(accounts(30_000));
  startMigration(NAME, database.name, ['public.accounts'], {
    connector: {
      type: 'debezium-postgres',
      url: process.env['CONNECT_URL'],
      snapshot: 'incremental',
    },
  });
  const kafka = new KafkaPort(
    { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1, tls: false },
    () => '',
  );
  await sleepUntil(
    'the first chunks',
    async () =>
      ((await kafka.offsets(`${NAME}.public.accounts`).catch(() => [])).at(0)?.high ?? 0) > 3_000,
  );
  await kafka.disconnect();
  await forget();
  await waitFor(NAME, 'approval');
  const { windows } = await get(NAME);
  expect(windows.length).toBeGreaterThan(0);
  expect(windows.every((w) => w.mode === 'exact' && w.verdict === 'passed')).toBe(true);
  expect(sluice('rollback', NAME, '--reason', 'test', '--yes').code).toBe(0);
  await waitFor(NAME, 'outcome=rolled-back');
});
