// Proves the pipeline on a slice of the legacy database. The proof only reads that database. It
// replays the slice into separate topics and runs the pipeline. Then it compares the output with
// the result of the batch's query on the same slice. At the end, the proof removes its topics, its
// consumer group and the jobs that it deployed, no matter what the verdict is.
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { MigrationRef } from '../domain/evidence/ledger-rows.js';
import { KINDS } from '../domain/objects/kinds.js';
import { resolve } from '../domain/plan/resolve.js';
import type { ProofPlan } from '../activities/prove/slice-plan.js';
import {
  pipelineEnvironment,
  type PipelineEnvironment,
  type ProofInput,
  type ProofResult,
  type ProofState,
  type Replayed,
} from '../domain/evidence/slice-proof.js';
import { SNAPSHOT_ROWS_PER_SECOND } from '../domain/values/rates.js';
import { call } from './call.js';
import { problemOf } from './run/interruptions.js';

export interface ProofView {
  readonly state: ProofState;
  /**
   * The environment for the process that runs the pipeline. Null until the slice is replayed, and
   * always null if Sluice deploys the pipeline.
   */
  readonly environment: PipelineEnvironment | null;
  readonly replayed: Replayed | null;
}

export const proofQuery = defineQuery<ProofView>('proof');
/**
 * Reports that the pipeline was stopped, or, with the payload `{failed: why}`, that it ended by
 * itself. If the pipeline has not yet read everything, the proof then ends as errored.
 */
export const pipelineStoppedSignal =
  defineSignal<[{ failed?: string } | undefined]>('pipelineStopped');

const STOP_PATIENCE_MS = 120_000;

type Findings = Pick<
  ProofResult,
  'verdict' | 'reason' | 'counts' | 'differences' | 'rehearsed' | 'pipelineMs'
>;
const errored = (reason: string): Findings => ({
  verdict: 'errored',
  reason,
  counts: null,
  differences: [],
  rehearsed: [],
  pipelineMs: null,
});

/**
 * The progress of the proof. The query shows it, and the clean-up reads from it whether it must
 * wait until a pipeline is stopped.
 */
interface Progress {
  state: ProofState;
  plan: ProofPlan | null;
  replayed: Replayed | null;
  stopped: { failed?: string } | null;
  /** True if another process runs the pipeline, with the environment that the query returns. */
  wasStarted: boolean;
}

export async function proveOnSlice(input: ProofInput): Promise<ProofResult> {
  const { workflowId: id, runId, startTime } = workflowInfo();
  const progress: Progress = {
    state: 'open',
    plan: null,
    replayed: null,
    stopped: null,
    wasStarted: false,
  };
  answer(progress);
  // a wrong spec or slice ends the workflow as Failed, because nothing was created yet
  const plan = await call('quick', 'openProof', 'Check spec and slice', input, id, runId);
  progress.plan = plan;
  let findings = errored('nothing was compared');
  let leftovers: string[] = [];
  try {
    findings = await findOut(progress, plan, input);
  } catch (error) {
    findings = errored(
      isCancellation(error)
        ? 'the proof was cancelled'
        : (problemOf(error, '')?.detail ?? (error as Error).message),
    );
  } finally {
    leftovers = await CancellationScope.nonCancellable(() => cleanUp(progress, plan.ref));
  }
  const result = resultOf(input, id, startTime, progress.replayed, findings, leftovers);
  await CancellationScope.nonCancellable(() =>
    call('quick', 'recordProof', 'Record the proof', result),
  );
  progress.state = 'done';
  return result;
}

function answer(progress: Progress): void {
  setHandler(
    proofQuery,
    () => {
      const { state, replayed, plan, wasStarted } = progress;
      const environment = plan && wasStarted ? pipelineEnvironment(plan.ref) : null;
      return { state, replayed, environment };
    },
    { description: 'The state of the proof, and the environment of its pipeline' },
  );
  setHandler(pipelineStoppedSignal, (why) => void (progress.stopped ??= why ?? {}), {
    description: 'The pipeline was stopped, so the proof cleans up',
  });
}

const isDeployedByUs = (ref: MigrationRef): boolean => resolve(ref).host.url !== null;

/** Replays the slice, waits for the pipeline, and compares. */
async function findOut(progress: Progress, plan: ProofPlan, input: ProofInput): Promise<Findings> {
  progress.state = 'replay';
  const replayed = await call(
    'long',
    'replaySlice',
    'Replay the slice in one read-only snapshot',
    plan,
  );
  progress.replayed = replayed;
  if (isDeployedByUs(plan.ref))
    await call('patient', 'ensurePipeline', 'Deploy the pipeline on the slice', plan.ref);
  else progress.wasStarted = true;
  progress.state = 'pipeline';
  const since = Date.now();
  const undrained = await Promise.race([
    call(
      'long',
      'awaitPipeline',
      'Wait until the pipeline has read everything',
      plan,
      input.patienceMs,
    ),
    condition(() => progress.stopped !== null).then(
      () =>
        `the pipeline ended: ${progress.stopped?.failed ?? 'it was stopped before it had read everything'}`,
    ),
  ]);
  const pipelineMs = Date.now() - since;
  if (undrained)
    return { ...errored(undrained), verdict: progress.stopped ? 'errored' : 'inconclusive' };
  progress.state = 'compare';
  const { verdict, ...found } = await call(
    'long',
    'compareSlice',
    'Compare every key of the slice',
    plan,
    replayed,
  );
  return { ...verdict, ...found, pipelineMs };
}

/**
 * Cleans up, and returns the objects that are left. If the clean-up fails, returns its problem, so
 * that the verdict is recorded all the same.
 */
async function cleanUp(progress: Progress, ref: MigrationRef): Promise<string[]> {
  try {
    return await removeAll(progress, ref);
  } catch (error) {
    const problem = problemOf(error, '');
    if (!problem) throw error;
    return [`everything whose name begins with ${ref.name} (not removed: ${problem.detail})`];
  }
}

/**
 * Stops a pipeline that Sluice deployed. For any other pipeline, waits for a limited time until
 * `sluice prove` reports that it was stopped. Then removes the topics and the group of the proof.
 * Returns the objects that are left.
 */
async function removeAll(progress: Progress, ref: MigrationRef): Promise<string[]> {
  if (isDeployedByUs(ref)) await removeJobs(ref);
  else if (progress.wasStarted) {
    progress.state = 'stop-pipeline';
    await condition(() => progress.stopped !== null, STOP_PATIENCE_MS);
  }
  progress.state = 'clean-up';
  return call('patient', 'removeProof', 'Remove the topics and the group of the proof', {
    spec: ref.spec,
    name: ref.name,
  });
}

async function removeJobs(ref: MigrationRef): Promise<void> {
  for (const job of KINDS.job.planned(resolve(ref)))
    await call('patient', 'removeJob', `Stop job ${job.name}`, ref, job);
}

function resultOf(
  input: ProofInput,
  id: string,
  at: Date,
  replayed: Replayed | null,
  findings: Findings,
  leftovers: readonly string[],
): ProofResult {
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Proof',
    id,
    name: id.replace(/^proof-/, '').replace(/-\d+$/, ''),
    slice: input.slice,
    stage: input.stage,
    at: at.toISOString(),
    by: input.by,
    replayed,
    ...findings,
    predicted: predict(replayed, findings.pipelineMs),
    leftovers,
  };
}

/**
 * Predicts how long the initial load and the catch-up of the whole tables would take. Uses a
 * constant rate for the load, and the pipeline's rate in this proof. Returns null if this proof
 * measured nothing.
 */
function predict(replayed: Replayed | null, pipelineMs: number | null): ProofResult['predicted'] {
  if (!replayed || pipelineMs === null || replayed.records === 0) return null;
  const records = replayed.tables.reduce((sum, t) => sum + t.of, 0);
  const loadMs = Math.round((records / SNAPSHOT_ROWS_PER_SECOND) * 1000);
  return {
    records,
    loadMs,
    catchUpMs: Math.max(loadMs, Math.round((pipelineMs / replayed.records) * records)),
  };
}
