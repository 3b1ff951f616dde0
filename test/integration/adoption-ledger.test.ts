// Tests how the ledger lists adopted objects, which existed before the migration. It lists such an
// object only for a run that will release it. An ended run releases nothing. So an attempt of an
// activity that Temporal gave up, and that continues after its run has ended, must list no object.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  ledgerTime,
  recordAdopted,
  releaseAdopted,
} from '../../src/clients/ledger/adopted-objects.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const run = { name: 'orders', iteration: 1, generation: 1 };
const objects = (['slot', 'publication'] as const).map((kind) => ({
  kind,
  name: 'theirs',
  where: 'bank',
  identity: 'as it was',
}));
let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
const held = async (): Promise<number> =>
  (await ledger.query('SELECT 1 FROM sluice.adopted WHERE released_at IS NULL')).length;
const record = (begun: string, by = run) => recordAdopted(ledger, by, objects, begun);

beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  ledger = new Ledger(urlOf(database.name));
  await ledger.migrate();
});
beforeEach(async () => {
  await ledger.query('TRUNCATE sluice.adopted, sluice.migration');
  await ledger.query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash)
     SELECT name, 1, 1, name, name, '{}', 'h' FROM unnest(ARRAY['orders', 'others']) AS name`,
  );
});
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

it('a retry records the same objects, and another migration cannot take them', async () => {
  expect(await record(await ledgerTime(ledger))).toBe('recorded');
  expect(await record(await ledgerTime(ledger))).toBe('recorded');
  expect(await record(await ledgerTime(ledger), { ...run, name: 'others' })).toBe('taken');
  expect(await held()).toBe(2);
});

it('an attempt that began before its run released the objects does not take them again', async () => {
  const begun = await ledgerTime(ledger);
  await record(begun);
  expect(await releaseAdopted(ledger, run)).toHaveLength(2);
  expect(await record(begun)).toBe('ended');
  expect(await held()).toBe(0);
});

it('an attempt of a run that has ended records nothing; a new run of that name records the objects', async () => {
  await ledger.query(`UPDATE sluice.migration SET outcome = 'rolled-back' WHERE name = 'orders'`);
  expect(await record(await ledgerTime(ledger))).toBe('ended');
  expect(await held()).toBe(0);
  await ledger.query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash)
     VALUES ('orders', 2, 2, 'orders', 'orders-2', '{}', 'h')`,
  );
  expect(await record(await ledgerTime(ledger), { ...run, iteration: 2 })).toBe('recorded');
});
