// Starts Temporal's time-skipping test server, and runs migrations on it. A scene is what a test
// does while its migration runs.
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { WorkflowClient, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { QUEUE_ROLES, queueFor, type QueueRole } from '../../src/domain/migration/task-queues.js';
import { sleepUntil } from './builders.js';
import { listedHistories, writeHistory, type RecordedHistory } from './histories.js';
import { connectToTestServer, endTestServer, quietRuntime } from './temporal-test-server.js';

export interface Bench {
  readonly env: TestWorkflowEnvironment;
  /**
   * True if the server counts an activity as running although its run has ended. Such a server
   * never skips time again.
   */
  isStuck: boolean;
  /** Resolves when the server has skipped this much time, or was replaced. */
  readonly skip: (duration: '6h' | '1h') => Promise<void>;
  /** Replaces the server. */
  readonly renew: () => Promise<void>;
}

/**
 * Connects the tests of a file to the server of this worker of vitest. Skipping time affects the
 * whole server, so only tests that run one after the other share a server.
 */
export function useBench(): Bench {
  let env: TestWorkflowEnvironment | undefined;
  const underWay = new Set<AbortController>();
  const close = async (): Promise<void> => {
    for (const call of underWay) call.abort();
    await env?.teardown();
  };
  const bench = {
    get env() {
      return env!;
    },
    isStuck: false,
    skip: async (duration: '6h' | '1h') => {
      const { connection, sleep } = bench.env;
      const call = new AbortController();
      underWay.add(call);
      await connection.withAbortSignal(call.signal, () => sleep(duration).catch(() => undefined));
      underWay.delete(call);
    },
    renew: async () => {
      await close();
      endTestServer();
      env = await connectToTestServer();
      bench.isStuck = false;
    },
  };
  beforeAll(async () => {
    quietRuntime();
    env = await connectToTestServer();
  });
  afterAll(async () => {
    await close();
    if (bench.isStuck) endTestServer();
  });
  return bench;
}

let runs = 0;

export interface Play {
  readonly handle: WorkflowHandle;
  readonly env: TestWorkflowEnvironment;
  readonly status: () => Promise<Status>;
  /**
   * Waits until the status is as wanted. Then waits until no activity is running, for at most a
   * second. It does not skip time.
   */
  readonly reach: (wanted: (status: Status) => boolean) => Promise<void>;
}

/**
 * Approves the cut-over, waits until the run is blocked, lets `time` pass, calls `repair`, and
 * retries.
 */
export async function approveThenRetry(
  { handle, env, reach }: Play,
  time: '40m' | '2h',
  repair: () => void,
): Promise<void> {
  await reach((s) => s.needsApproval);
  await handle.signal('approveCutover', { approver: 'ann' });
  await reach((s) => s.blocked !== null);
  await env.sleep(time);
  repair();
  await handle.signal('retry');
}

/**
 * Starts a migration with these activities, and plays `scene` while a worker serves it.
 * `beforehand` is called before any worker runs. A queue with 0 `slots` is not served. A run that
 * is still open afterwards is terminated.
 */
export async function play<T>(
  bench: Bench,
  activities: Activities,
  input: { metadata: { name: string } },
  scene: (play: Play) => Promise<T>,
  beforehand: (handle: WorkflowHandle) => Promise<void> = () => Promise.resolve(),
  slots: Partial<Record<QueueRole, number>> = {},
): Promise<T> {
  const { env } = bench;
  runs += 1;
  const taskQueue = `migrations-${process.pid}-${runs}`;
  const handle = await env.client.workflow.start('migrateToStreaming', {
    taskQueue,
    workflowId: `migration-${input.metadata.name}`,
    args: [input],
  });
  handle.result = () => resultOf(bench, handle);
  await beforehand(handle);
  const connection = env.nativeConnection;
  const slotsOf = (role: QueueRole) => {
    const count = slots[role];
    return count === undefined ? {} : { maxConcurrentActivityTaskExecutions: count };
  };
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    // The workflow runs in this thread, because a new thread takes 0.6 s to load the SDK.
    debugMode: true,
    activities,
    ...slotsOf('steps'),
  });
  const others = await Promise.all(
    QUEUE_ROLES.filter((role) => role !== 'steps' && slots[role] !== 0).map((role) =>
      Worker.create({
        connection,
        taskQueue: queueFor(taskQueue, role),
        activities,
        ...slotsOf(role),
      }),
    ),
  );
  const status = () => handle.query<Status>('status');
  const reach = async (wanted: (status: Status) => boolean): Promise<void> => {
    await sleepUntil('a status', async () => wanted(await status()));
    await atRest(handle);
  };
  try {
    return await runAll([worker, ...others], async () => {
      const shown = await scene({ handle, env, status, reach });
      if (process.env['RECORD_HISTORIES']) await recordHistory(handle);
      return shown;
    });
  } finally {
    if (await isOpen(handle)) await handle.terminate();
    if (bench.isStuck || !(await isWithin(bench.skip('1h'), 500))) await bench.renew();
  }
}

/** Runs `scene` while all workers run. */
function runAll<T>(workers: readonly Worker[], scene: () => Promise<T>): Promise<T> {
  const [first, ...rest] = workers;
  return first ? first.runUntil(() => runAll(rest, scene)) : scene();
}

const isOpen = async (handle: WorkflowHandle): Promise<boolean> =>
  (await handle.describe()).status.name === 'RUNNING';

/**
 * Skips time until the run has ended. The SDK's own method is not used. With it, the server skips
 * years beyond the end of the run, so the next test would begin in a different year.
 */
async function resultOf(bench: Bench, handle: WorkflowHandle): Promise<unknown> {
  for (let step = 0; await isOpen(handle); step += 1) {
    if (step === 2000) throw new Error('the run did not end within 500 days');
    const slept = bench.skip('6h');
    while (!(await isWithin(slept, 20)) && (await isOpen(handle)));
    if (!(await isOpen(handle))) bench.isStuck = !(await isWithin(slept, 1000));
  }
  return new WorkflowClient({ connection: bench.env.connection }).result(handle.workflowId);
}

const isWithin = (promise: Promise<void>, ms: number): Promise<boolean> =>
  Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms)),
  ]);

/**
 * Lets workflow time pass until the status is as wanted. Then waits until no activity is running,
 * for at most a second, because of a defect of the Java server. If an activity completes at the
 * moment of its cancellation, the server loses it, and the run waits for it forever.
 */
export async function skipUntil(
  scene: Play,
  wanted: (s: Awaited<ReturnType<Play['status']>>) => boolean,
): Promise<void> {
  const { env, status, handle } = scene;
  for (let step = 0; step < 200; step += 1) {
    if (wanted(await status())) return atRest(handle);
    await env.sleep('10m');
  }
  throw new Error(`not reached: ${JSON.stringify(await status())}`);
}

/**
 * Waits until no activity and no workflow task of the run is pending. It stops waiting after a
 * second, because some activities of the scene may never end.
 */
async function atRest(handle: WorkflowHandle): Promise<void> {
  for (let look = 0; look < 40; look += 1) {
    const { raw } = await handle.describe();
    if ((raw.pendingActivities ?? []).length === 0 && !raw.pendingWorkflowTask) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * Writes the history of a run whose test is listed in test/histories/README.md, without the name
 * and the folder of this machine.
 */
async function recordHistory(handle: WorkflowHandle): Promise<void> {
  const test = (expect.getState().currentTestName ?? '').replace(/^.* > /, '');
  const name = listedHistories().get(test);
  if (name === undefined) return;
  const history = historyToJSON(await handle.fetchHistory()) as string | object;
  const text = typeof history === 'string' ? history : JSON.stringify(history);
  const anonymous = text.replaceAll(/\d+@[\w.-]+/g, 'test').replaceAll(process.cwd(), '');
  writeHistory(name, JSON.parse(anonymous) as RecordedHistory);
}
