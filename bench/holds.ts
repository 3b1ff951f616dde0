// `npm run bench -- holds [--rounds 100]` runs whole cut-overs of `examples/daily-revenue`, while
// 16 writers are busy. Each cut-over fences the source tables, drains through the pipeline and its
// sink, and runs the final window. Then it commits, checks what consumers read, and routes them
// back. The benchmark calls the activities in the order in which the workflow calls them. The
// workflow is paused meanwhile. The benchmark needs the local stack.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { latestRun } from '../src/activities/objects/leftovers.js';
import { Systems } from '../src/activities/runtime/deps.js';
import { createActivities } from '../src/activities/index.js';
import { Ledger } from '../src/clients/ledger/ledger.js';
import { resolveSecret } from '../src/wiring/config.js';
import { resolve } from '../src/domain/plan/resolve.js';
import type { MigrationRef } from '../src/domain/evidence/ledger-rows.js';
import { openFencedShop } from '../test/support/fenced-shop.js';
import { TestWorker, get, sluice, waitFor } from '../test/support/sluice.js';
import { percentile } from './drill.js';
import { untilGranted } from './fence-drill.js';
import { startWriters } from './start-writers.js';

// Windows and attempts of this benchmark are numbered from here on, so that their numbers differ
// from those of the workflow.
const FIRST_NUMBER = 1_000_000;

export async function holdsBench(rounds: number): Promise<void> {
  const shop = await openFencedShop(`holds-${Date.now().toString(36)}`, 60, 0.2);
  const worker = new TestWorker();
  await worker.start();
  let stopWriters = (): Promise<void> => Promise.resolve();
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  const systems = new Systems(resolveSecret);
  const client = new pg.Client({ database: shop.database });
  try {
    await client.connect();
    await shop.start();
    await waitFor(shop.name, 'approval', '6m');
    sluice('pause', shop.name);
    // The writers change orders without changing any revenue, so the results stay the same.
    stopWriters = startWriters(
      shop.database,
      2000,
      'UPDATE orders SET status = status WHERE id = $1',
    );
    const ref = (await latestRun({ ledger }, shop.name))!;
    const activities = createActivities({
      secret: resolveSecret,
      ledger,
      systems,
      approvers: new Map(),
      stateDir: mkdtempSync(join(tmpdir(), 'sluice-holds-')),
    });
    const cutOver = (round: number): Promise<CutOver> =>
      new MockActivityEnvironment().run(() => wholeCutOver(activities, client, ref, round));
    const done: CutOver[] = [];
    for (let round = 0; round < rounds; round += 1) done.push(await cutOver(round));
    const holds = done.flatMap((d) => (d.refused ? [] : [d.holdMs]));
    console.log(
      `${holds.length} committed: hold p50 ${percentile(holds, 0.5)} ms, p99 ${percentile(holds, 0.99)} ms, max ${Math.max(...holds)} ms`,
    );
    console.log(
      `fence p50 ${percentile(
        done.map((d) => d.fenceMs),
        0.5,
      )} ms, p99 ${percentile(
        done.map((d) => d.fenceMs),
        0.99,
      )} ms`,
    );
    console.log(
      `${done.filter((d) => d.slipped).length} cut-overs had a row that changed under the fence; after ${done.filter((d) => d.side !== 'stream' && !d.refused).length} commits, consumers were not observed on the stream`,
    );
    console.log(
      `${rounds - holds.length} refused: ${[...new Set(done.flatMap((d) => d.refused ?? []))].join('; ') || '-'}`,
    );
    sluice('resume', shop.name);
    sluice('rollback', shop.name, '--reason', 'the benchmark is over', '--yes');
    await waitFor(shop.name, 'outcome=rolled-back', '8m');
    console.log(`left behind: ${(await get(shop.name)).leftovers.length}`);
  } finally {
    await stopWriters();
    shop.rest();
    await worker.kill('SIGTERM');
    await Promise.all([client.end(), ledger.close(), systems.close()]);
  }
}

interface CutOver {
  readonly fenceMs: number;
  readonly holdMs: number;
  readonly refused: string | null;
  /** True if a row of `orders`, which the writers update, was written between fence and commit. */
  readonly slipped: boolean;
  readonly side: string | null;
}

/** Waits until no run of the batch is active, as the recheck does. */
async function untilNoRun(
  activities: ReturnType<typeof createActivities>,
  ref: MigrationRef,
): Promise<void> {
  while (await activities.activeBatchRun(ref)) await sleep(100);
}

async function wholeCutOver(
  activities: ReturnType<typeof createActivities>,
  client: pg.Client,
  ref: MigrationRef,
  round: number,
): Promise<CutOver> {
  const versions = async (): Promise<string> =>
    (
      await client.query<{ v: string }>(
        `SELECT md5(string_agg(xmin::text, ',' ORDER BY id)) AS v FROM orders`,
      )
    ).rows[0]!.v;
  const number = FIRST_NUMBER + round;
  const input = { ref, token: `holds-${round}`, attempt: number, epoch: 1, evidenceId: 'holds' };
  await untilNoRun(activities, ref);
  const started = Date.now();
  await activities.batchAction(ref, 'pause', new Date(started + 60_000).toISOString());
  const fence = await activities.fence(input);
  const fenceMs = Date.now() - started;
  try {
    if (fence.refused)
      return { fenceMs, holdMs: 0, refused: fence.refused, slipped: false, side: null };
    const before = await versions();
    const refuse = (refused: string): CutOver => ({
      fenceMs,
      holdMs: Date.now() - started,
      refused,
      slipped: false,
      side: null,
    });
    const { reason } = await activities.drainTo(ref, fence.lsn, 50_000, input.token);
    if (reason) return refuse(reason);
    const { verdict } = await activities.runWindow({
      ref,
      number,
      roundsMs: 45_000,
      isFull: true,
      since: null,
    });
    if (verdict.verdict !== 'passed') return refuse(verdict.reason);
    const slipped = (await versions()) !== before;
    const { refused } = await activities.commitCutover(input);
    if (refused) return refuse(refused);
    return {
      fenceMs,
      holdMs: Date.now() - started,
      refused: null,
      slipped,
      side: (await activities.observeRoute(ref)).side,
    };
  } finally {
    for (const { trigger } of resolve(ref).fence.guards)
      await untilGranted(() => activities.removeTrigger(ref, trigger));
    await activities.routeBack(ref);
    await activities.batchAction(ref, 'resume', null);
  }
}
