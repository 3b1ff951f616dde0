// Kills the worker with -9 at every visible moment of a shared table's switch, in both directions.
// The moments are: fenced, sink paused, committed (the sink then moves), switched back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { sleepUntil } from '../support/builders.js';
import { openSharedShop, type FencedShop } from '../support/fenced-shop.js';
import { TestWorker, get, sluice, waitFor, withDatabase } from '../support/sluice.js';

const NAME = 'shared-kills';
const worker = new TestWorker();
let shop: FencedShop;
let dropRoles: () => Promise<void>;

beforeAll(async () => {
  ({ shop, dropRoles } = await openSharedShop(NAME, () => '10m'));
  await worker.start();
});
afterAll(async () => {
  shop.rest();
  await worker.kill('SIGTERM');
  await dropRoles();
});

const sinkState = async (): Promise<string> => {
  const answer = (await (
    await fetch(`${process.env['CONNECT_URL']}/connectors/${NAME}-sink/status`)
  ).json()) as { connector?: { state: string } };
  return answer.connector?.state ?? 'gone';
};

/** Approves each time the run needs an approval, until the soak. */
async function throughTheGate(): Promise<void> {
  await sleepUntil('the soak', async () => {
    const status = await get(NAME);
    if (status.needsApproval && status.phase === 'approve')
      sluice('approve', NAME, '--approver', 'ann', '--reason', 'green', '--yes');
    return status.phase === 'soak';
  });
}

describe('a worker that dies while a shared table is switched', () => {
  it('leaves one commit and all rows if it dies at each step, and a rollback stays possible', async () => {
    await withDatabase(shop.database, async (client: pg.Client) => {
      const state = async (): Promise<string | undefined> => (await shop.lease(client))?.state;
      await shop.start();
      await shop.approve();
      await sleepUntil('the fence', async () => (await state()) === 'FENCED');
      await worker.restart();
      await sleepUntil(
        'the sink is paused, or the attempt is over',
        async () => (await sinkState()) === 'PAUSED' || (await state()) !== 'FENCED',
      );
      await worker.restart();
      const gate = throughTheGate();
      await sleepUntil('the commit', async () => (await state()) === 'SWITCHED');
      await worker.restart();
      await gate;
      expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
      expect(sluice('rollback', NAME, '--reason', 'a drill', '--yes').code).toBe(0);
      await sleepUntil('the rollback', async () => (await state()) !== 'SWITCHED');
      await worker.restart();
      await waitFor(NAME, 'outcome=rolled-back');
      expect((await get(NAME)).leftovers).toEqual([]);
      const report = JSON.parse(sluice('report', NAME, '-o', 'json').stdout) as {
        events: { kind: string }[];
      };
      expect(report.events.filter((e) => e.kind === 'committed')).toHaveLength(1);
      shop.rest();
      // the table belongs to the batch again, so nothing refuses the write
      await client.query('CALL run_daily_revenue()');
      expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
    });
  });
});
