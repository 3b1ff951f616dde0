// Tests on a real server which sessions doctor counts as sessions of others.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionLimits } from '../../src/activities/checks/session-limits.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, specOf } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
const open: pg.Client[] = [];

beforeAll(async () => {
  database = await freshDatabase('CREATE TABLE orders (id int PRIMARY KEY)');
  await database.client.query(`ALTER DATABASE ${database.name} CONNECTION LIMIT 1`);
});
afterAll(() => database.drop());

/** Returns how many sessions others use in the database, with these sessions open. */
async function others(applications: readonly string[], slot?: string): Promise<number> {
  try {
    for (const application_name of applications) {
      const client = new pg.Client({ database: database.name, application_name });
      await client.connect();
      open.push(client);
    }
    if (slot !== undefined)
      await open[0]!.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput', true)`, [
        slot,
      ]);
    const parsed = parseSpecObject(specOf('shop', database.name, ['public.orders']));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const plan = resolve({ spec: parsed.spec, generation: 3 });
    const answer = await connectionLimits(database.client, plan, 'source');
    return Number(/of database \S+ is 1, and others use (\d+)/.exec(JSON.stringify(answer))![1]);
  } finally {
    await Promise.all(open.splice(0).map((client) => client.end()));
  }
}

describe('the connections of others', () => {
  it('do not include sessions of this migration in any generation', async () => {
    const none = await others([]);
    const own = ['sluice/shop', 'sluice/shop/witness', 'shop-sink', 'shop-sink-g2'];
    expect(await others(own)).toBe(none);
  });
  it('include sessions of a migration whose name begins with the name of this one', async () => {
    const none = await others([]);
    expect(await others(['sluice/shop-eu', 'shop-eu-sink', 'shop-eu'])).toBe(none + 3);
  });
  it('include sessions of Debezium, unless they read from where the slot of this migration is read', async () => {
    const none = await others([]);
    const sessions = ['Debezium Streaming', 'Debezium General'];
    expect(await others(sessions)).toBe(none + 2);
    expect(await others(sessions, 'sluice_other')).toBe(none + 2);
    expect(await others(sessions, 'sluice_shop_g2')).toBe(none);
  });
});
