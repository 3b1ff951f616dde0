// Simulates the shop during a migration: customers order, change, cancel and get refunds (the
// writer), and the batch runs on its schedule. Usage: life.ts DATABASE [transactions a second]
// [seconds between batch runs]
import type pg from 'pg';
import { clientOf } from './client.js';

const [database = 'shop', rate = '3', every = '15'] = process.argv.slice(2);
const STORES = 12;
let stopping = false;
process.on('SIGTERM', () => (stopping = true));
process.on('SIGINT', () => (stopping = true));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const pick = (below: number): number => Math.floor(Math.random() * below);

/** Calls `live` repeatedly until the program is stopped. After an error, uses a new client. */
async function living(what: string, live: (client: pg.Client) => Promise<void>): Promise<void> {
  while (!stopping) {
    const client = clientOf({ database, application_name: `shop-${what}` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!stopping) await live(client);
    } catch (error) {
      console.error(`${what}: ${(error as Error).message}`);
      await sleep(1000);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function writeSomething(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  const dice = Math.random();
  const someOrder = `(SELECT id FROM orders WHERE id >= (SELECT max(id) * ${dice < 0.9 ? 0.99 : Math.random()} FROM orders) ORDER BY id LIMIT 1 OFFSET ${pick(200)})`;
  if (dice < 0.5) {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO orders (customer_id, store_id, ordered_at) VALUES (${1 + pick(10)}, ${1 + pick(STORES)}, now()) RETURNING id`,
    );
    for (let n = 0; n <= pick(3); n += 1) {
      await client.query(
        `INSERT INTO order_items (order_id, sku, quantity, unit_price, discount) VALUES ($1, $2, $3, $4, $5)`,
        [
          rows[0]!.id,
          `SKU-${pick(500)}`,
          1 + pick(4),
          (1 + pick(20000) / 100).toFixed(2),
          Math.random() < 0.6 ? null : (pick(90) / 100).toFixed(2),
        ],
      );
    }
  } else if (dice < 0.7)
    await client.query(`UPDATE orders SET status = 'shipped' WHERE id = ${someOrder}`);
  else if (dice < 0.8)
    await client.query(
      `INSERT INTO order_items (order_id, sku, quantity, unit_price) SELECT id, 'SKU-late', 1, 9.99 FROM orders WHERE id = ${someOrder}`,
    );
  else if (dice < 0.92)
    await client.query(
      `INSERT INTO refunds (order_id, amount) SELECT id, 1.25 FROM orders WHERE id = ${someOrder}`,
    );
  else if (dice < 0.97)
    await client.query(`UPDATE orders SET status = 'cancelled' WHERE id = ${someOrder}`);
  else await client.query(`DELETE FROM orders WHERE id = ${someOrder}`);
  await client.query(dice > 0.495 && dice < 0.5 ? 'ROLLBACK' : 'COMMIT');
  await sleep((1000 / Number(rate)) * (0.5 + Math.random()));
}

async function runBatch(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ due: boolean }>(
    `SELECT NOT retired AND coalesce(paused_until < now(), true) AS due FROM batch_control`,
  );
  if (rows[0]?.due) await client.query('CALL run_daily_revenue()');
  for (let waited = 0; waited < Number(every) * 1000 && !stopping; waited += 250) await sleep(250);
}

await Promise.all([living('writer', writeSomething), living('batch', runBatch)]);
