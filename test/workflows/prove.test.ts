// Tests that a proof on a slice (`sluice prove`) keeps its verdict, even if its clean-up fails.
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import type { ProofResult } from '../../src/domain/evidence/slice-proof.js';
import { NO_COUNTS } from '../../src/domain/evidence/counts.js';
import { queueFor } from '../../src/domain/migration/task-queues.js';
import { LONGEST_COMPUTATION } from '../../src/wiring/workflow-code.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { useBench } from '../support/time-skipping.js';

const bench = useBench();
let proofs = 0;

/** Runs a proof whose slice passes. Returns its result and the recorded results. */
async function prove(activities: Partial<Activities>) {
  proofs += 1;
  const taskQueue = `proofs-${process.pid}-${proofs}`;
  const recorded: ProofResult[] = [];
  const ref = { ...aRef({ spec: BATCH_PARTS }), name: 'proof-bank-1' };
  const subject = { name: 'result', query: '', key: ['id'], topic: 'out', within: '' };
  const replayed = { lsn: '0/1', tables: [], records: 1, bytes: 1, ms: 1, expected: 1 };
  const { activities: served } = fakes({
    openProof: () => Promise.resolve({ ref, tables: [], subject, runs: 0 }),
    replaySlice: () => Promise.resolve(replayed),
    awaitPipeline: () => Promise.resolve(null),
    compareSlice: () =>
      Promise.resolve({
        verdict: { verdict: 'passed', reason: '0 differences in 1 keys' },
        counts: { ...NO_COUNTS, matched: 1 },
        differences: [],
        rehearsed: [],
      }),
    removeProof: () => Promise.resolve([]),
    recordProof: (result) => Promise.resolve(void recorded.push(result)),
    ...activities,
  });
  const worker = await Worker.create({
    connection: bench.env.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    ...LONGEST_COMPUTATION,
    activities: served,
  });
  const watch = await Worker.create({
    connection: bench.env.nativeConnection,
    taskQueue: queueFor(taskQueue, 'watch'),
    activities: served,
  });
  const result = worker.runUntil(
    watch.runUntil(
      bench.env.client.workflow.execute('proveOnSlice', {
        taskQueue,
        workflowId: taskQueue,
        args: [{ spec: {}, slice: 'id = 1', stage: null, runs: 0, by: 'ann', patienceMs: 1000 }],
      }),
    ),
  );
  return { result: (await result) as ProofResult, recorded };
}

describe('a proof', () => {
  it('records its verdict, and names what it may have left, if its clean-up fails', async () => {
    const denied = failure('permission-denied', 'Kafka denies DELETE on topic proof-bank-1.output');
    const { result, recorded } = await prove({ removeProof: () => Promise.reject(denied) });
    expect(result).toMatchObject({
      verdict: 'passed',
      leftovers: [
        'everything whose name begins with proof-bank-1 (not removed: Kafka denies DELETE on topic proof-bank-1.output)',
      ],
    });
    expect(recorded).toEqual([result]);
  });

  it('names no leftovers if its clean-up succeeds', async () =>
    expect((await prove({})).result).toMatchObject({ verdict: 'passed', leftovers: [] }));
});
