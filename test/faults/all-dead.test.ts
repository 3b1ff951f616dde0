// Kills Temporal, Kafka and the worker with -9 while the source tables are fenced. The application
// can write again as soon as the fence expires by the database's clock. When all services are
// running again, the run gives up this attempt at the cut-over. A new approval leads to the commit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { stackHome } from '../../stack/paths.js';
import { alive } from '../../stack/processes.js';
import { up } from '../../stack/stack.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker, get, withDatabase, reach } from '../support/sluice.js';
import { openFencedShop, type FencedShop } from '../support/fenced-shop.js';

const MAX_HOLD_S = 30;
const GRACE_S = 5;
const worker = new TestWorker();
let shop: FencedShop;

beforeAll(async () => {
  shop = await openFencedShop('all-dead', MAX_HOLD_S);
  await worker.start();
});
afterAll(async () => {
  shop.rest();
  await worker.kill('SIGTERM');
});

describe('while the source tables are fenced', () => {
  it('Temporal, Kafka and the worker may die: writers wait about maxHold, and the run ends as migrated', async () => {
    await shop.start();
    await shop.approve();
    await withDatabase(shop.database, async (client) => {
      await sleepUntil('the fence', async () => (await shop.lease(client))?.state === 'FENCED');
      const fenced = Date.now();
      for (const service of ['temporal', 'kafka'] as const)
        process.kill(alive(stackHome(), service)!, 'SIGKILL');
      await worker.kill();
      expect((await shop.lease(client))?.state).toBe('FENCED');
      // Like an application, the test repeats the write until it is accepted.
      await sleepUntil(
        'an order is accepted',
        () =>
          client.query('INSERT INTO orders (customer_id, store_id) VALUES (1, 1)').then(
            () => true,
            () => false,
          ),
        (MAX_HOLD_S + GRACE_S) * 1000 - (Date.now() - fenced),
      );
      const seconds = (Date.now() - fenced) / 1000;
      console.error(
        `writers were let in ${seconds.toFixed(1)} s after the fence (maxHold ${MAX_HOLD_S} s)`,
      );
      expect(seconds).toBeGreaterThan(1); // the fence did delay the order
      expect((await shop.lease(client))?.state).not.toBe('SWITCHED');
    });
    // this also restarts the pipeline, in case it died when Kafka was killed
    await up(stackHome(), () => undefined);
    await worker.start();
    await reach(
      shop.name,
      'the attempt is given up',
      (s) => s.phase === 'validate' || s.blocked !== null,
    );
    await shop.approve();
    await shop.migrated();
    shop.rest();
    expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
    expect(await get(shop.name)).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      generation: 1,
    });
  });
});
