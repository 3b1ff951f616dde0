// Suspends a worker (SIGSTOP) in the middle of the cut-over, until Temporal's heartbeat timeout is
// over and the fence has ended. Another worker takes over. The suspended worker continues (SIGCONT)
// while the other worker holds the fence of a later attempt. Its late actions must change nothing.
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker, get, sluice, withDatabase, reach } from '../support/sluice.js';
import { openFencedShop, type FencedShop } from '../support/fenced-shop.js';

const zombie = new TestWorker();
const successor = new TestWorker();
let shop: FencedShop;
let connection: Connection;

beforeAll(async () => {
  shop = await openFencedShop('zombie', 60); // maxHold in seconds; it must exceed the predicted hold
  await zombie.start();
  connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
});
afterAll(async () => {
  shop.rest();
  zombie.send('SIGCONT');
  await Promise.all([zombie.kill('SIGTERM'), successor.kill('SIGTERM')]);
  await connection.close();
});

/** Waits for the fence of an attempt after `first`. The error says what delays it. */
async function fenced(client: pg.Client, first: number): Promise<void> {
  const isFenced = async (): Promise<boolean> => {
    const lease = await shop.lease(client);
    return lease?.state === 'FENCED' && lease.attempt > first;
  };
  await sleepUntil(`a fence after attempt ${first}`, isFenced).catch(async (error: unknown) => {
    const { phase, blocked, next } = await get(shop.name);
    throw new Error(`${String(error)}: ${JSON.stringify({ phase, blocked, next })}`);
  });
}

/** Waits until the fence has expired, by the clock of the database. */
const expired = (client: pg.Client): Promise<void> =>
  sleepUntil('the fence has expired', async () => {
    const sql = `SELECT FROM sluice_zombie.lease WHERE expires_at < clock_timestamp()`;
    return (await client.query(sql)).rows.length === 1;
  });

/**
 * Waits until Temporal knows that the run has its fence, because the run asks for the drain next.
 * A worker that is suspended before this point has not reported the fence. Its successor would
 * repeat the activity in time, and the first attempt would commit.
 */
async function drains(): Promise<void> {
  const { workflow } = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE']! });
  await sleepUntil('the run asks for the drain', async () => {
    const { events } = await workflow.getHandle(`migration-${shop.name}`).fetchHistory();
    return (events ?? []).some(
      ({ activityTaskScheduledEventAttributes: asked }) => asked?.activityType?.name === 'drainTo',
    );
  });
}

describe('a worker that was suspended during the cut-over', () => {
  it('changes nothing when it continues beside its successor: one commit, and nothing is left over', async () => {
    await shop.start();
    await shop.approve();
    await withDatabase(shop.database, async (client) => {
      await fenced(client, 0);
      await drains();
      const first = (await shop.lease(client))!.attempt;
      zombie.send('SIGSTOP');
      await expired(client); // until then, a fast successor could still commit this attempt
      await successor.start();
      await reach(shop.name, 'the attempt is given up', (s) =>
        ['validate', 'approve'].includes(s.phase ?? ''),
      );
      expect(await shop.lease(client)).not.toEqual({ state: 'FENCED', attempt: first });
      await shop.approve();
      await fenced(client, first);
      zombie.send('SIGCONT');
    });
    await shop.migrated();
    shop.rest();
    expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
    expect(await get(shop.name)).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      generation: 1,
      route: { side: 'stream' },
    });
    const { events } = JSON.parse(sluice('report', shop.name, '-o', 'json').stdout) as {
      events: { kind: string }[];
    };
    expect(events.filter((event) => event.kind === 'committed')).toHaveLength(1);
  });
});
