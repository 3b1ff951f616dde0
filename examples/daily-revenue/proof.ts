// Checks with plain SQL, independently of Sluice, whether the view equals the batch's query and how
// fast an order reaches the view.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { clientOf } from './legacy/client.js';
import { CONSUMER } from './legacy/shop.js';

const QUERY = readFileSync(fileURLToPath(new URL('daily_revenue.sql', import.meta.url)), 'utf8');

async function until<T>(
  limitMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function withDatabase<T>(
  database: string,
  use: (client: pg.Client) => Promise<T>,
  user?: string,
): Promise<T> {
  const client = clientOf({ database, ...(user ? { user } : {}) }); // the default is PGUSER
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/**
 * Returns true when the view and the query have the same rows, or false after the limit. There MUST
 * be no writers.
 */
export async function viewEqualsQuery(database: string, limitMs: number): Promise<boolean> {
  const difference = `SELECT count(*)::int AS n FROM ((TABLE daily_revenue EXCEPT ALL (${QUERY})) UNION ALL ((${QUERY}) EXCEPT ALL TABLE daily_revenue)) d`;
  return withDatabase(database, async (client) => {
    const equal = await until(limitMs, async () =>
      (await client.query<{ n: number }>(difference)).rows[0]!.n === 0 ? true : undefined,
    );
    return equal ?? false;
  });
}

/**
 * Returns the milliseconds from the commit of a new order until the consumer sees the order in the
 * view. There MUST be no other writers, because the number of orders shows that the order arrived.
 * Throws after the limit.
 */
export async function orderReachesView(database: string, limitMs: number): Promise<number> {
  const asConsumer = (use: (client: pg.Client) => Promise<number>): Promise<number> =>
    withDatabase(database, use, CONSUMER);
  return withDatabase(database, (client) =>
    asConsumer(async (consumer) => {
      const count = async (): Promise<number> =>
        Number(
          (await consumer.query<{ n: string | null }>('SELECT sum(orders) AS n FROM daily_revenue'))
            .rows[0]!.n,
        );
      const before = await count();
      const { rows } = await client.query<{ id: string }>(
        'INSERT INTO orders (customer_id, store_id) VALUES (1, 1) RETURNING id',
      );
      const written = Date.now();
      await client.query(
        'INSERT INTO order_items (order_id, sku, quantity, unit_price) VALUES ($1, $2, 1, 10.00)',
        [rows[0]!.id, 'SKU-after'],
      );
      const seen = await until(limitMs, async () =>
        (await count()) > before ? Date.now() - written : undefined,
      );
      if (seen === undefined)
        throw new Error(`the order did not reach the view within ${limitMs} ms`);
      return seen;
    }),
  );
}
