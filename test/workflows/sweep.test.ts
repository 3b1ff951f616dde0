// Tests that the sweep of a terminated run removes nothing that consumers read.
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import type { SweepResult } from '../../src/workflows/sweep.js';
import { LONGEST_COMPUTATION } from '../../src/wiring/workflow-code.js';
import { aRef } from '../support/builders.js';
import { fakes, type Fakes } from '../support/fake-activities.js';
import { useBench } from '../support/time-skipping.js';

const bench = useBench();

const OBJECTS: OwnedObject[] = [
  { kind: 'lease', name: 'sluice_bank', where: 'bank' },
  { kind: 'slot', name: 'sluice_bank', where: 'bank' },
];
let sweeps = 0;

/** Sweeps a run that left a lease row and a slot. */
async function sweep(activities: Activities, routeBack = false): Promise<SweepResult> {
  sweeps += 1;
  const taskQueue = `sweeps-${process.pid}-${sweeps}`;
  const worker = await Worker.create({
    connection: bench.env.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    ...LONGEST_COMPUTATION,
    activities: {
      ...activities,
      openRun: () => Promise.resolve({ ref: aRef(), objects: OBJECTS }),
      recordSweep: () => Promise.resolve(),
    },
  });
  const result: unknown = await worker.runUntil(
    bench.env.client.workflow.execute('sweepLeftovers', {
      taskQueue,
      workflowId: taskQueue,
      args: [{ name: 'bank', by: 'ann', routeBack }],
    }),
  );
  return result as SweepResult;
}

/**
 * Returns fakes in which consumers read `side` until they are routed back, no matter what the lease
 * row says. If `isHeeded` is false, they read `side` even afterwards.
 */
function observing(fake: Fakes, side: 'batch' | 'stream', isHeeded = true): Activities {
  let seen = side;
  return {
    ...fake.activities,
    observeRoute: () => Promise.resolve({ side: seen, observedAt: '2026-01-01T00:00:00Z' }),
    routeBack: () => {
      if (isHeeded) seen = 'batch';
      return Promise.resolve();
    },
  };
}

const removals = ({ calls }: Fakes) => calls.filter((call) => call.startsWith('remove'));

describe('a sweep', () => {
  it('ends every attempt before it looks at the route, and removes the lease row last', async () => {
    const fake = fakes();
    expect(await sweep(fake.activities)).toMatchObject({ refused: null, leftovers: [] });
    expect(fake.calls).toEqual([
      'endAttempts',
      'observeRoute',
      'batchAction',
      'releaseAdopted',
      'removeSlot',
      'removeLease',
      'listLeftovers',
    ]);
  });

  it('refuses, and removes nothing, if ending the attempts shows that one had committed', async () => {
    const fake = fakes();
    fake.switched = true;
    expect(await sweep(fake.activities)).toMatchObject({
      refused: 'the cut-over happened, so consumers read the stream side',
      removed: [],
    });
    expect(removals(fake)).toEqual([]);
  });

  it('refuses, unless it may route back, if consumers read the stream and the lease row lacks the commit', async () => {
    const fake = fakes();
    expect((await sweep(observing(fake, 'stream'))).refused).toMatch(
      /read the stream side, although the lease row/,
    );
    expect(removals(fake)).toEqual([]);
    expect((await sweep(observing(fake, 'stream'), true)).refused).toBeNull();
    expect(removals(fake)).toEqual(['removeSlot', 'removeLease']);
  });

  it('refuses if consumers still read the stream after they were routed back', async () => {
    const fake = fakes();
    fake.switched = true;
    expect((await sweep(observing(fake, 'stream', false), true)).refused).toMatch(/still read/);
    expect(removals(fake)).toEqual([]);
  });
});
