// Calls activities. The options of a call depend on how long the activity may take. Every call has
// a summary for the timeline in Temporal's Web UI.
import {
  ActivityCancellationType,
  proxyActivities,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import { queueFor, type QueueRole } from '../domain/migration/task-queues.js';
import type { Activities } from '../activities/index.js';

/** Allows many attempts, because the worker may restart often while a long activity runs. */
const OFTEN = { initialInterval: '1s', maximumInterval: '15s', maximumAttempts: 20 } as const;

/** The heartbeat limit is short, because Temporal notices a killed worker only after this time. */
const BEAT = '10s';

const DATA_WORK = {
  startToCloseTimeout: '12h',
  heartbeatTimeout: BEAT,
  retry: OFTEN,
} as const;

const PATIENCE = {
  /** For an activity that runs a few statements or requests. */
  quick: {
    startToCloseTimeout: '30s',
    heartbeatTimeout: BEAT,
    retry: { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 6 },
  },
  /** For an activity that waits for another system, for minutes at most, with heartbeats. */
  patient: {
    startToCloseTimeout: '5m',
    heartbeatTimeout: BEAT,
    retry: { initialInterval: '1s', maximumInterval: '15s', maximumAttempts: 6 },
  },
  /** For an activity that takes hours. Temporal notices within seconds if its worker is killed. */
  long: {
    startToCloseTimeout: '30d',
    heartbeatTimeout: BEAT,
    retry: OFTEN,
  },
  /**
   * For an activity that runs as long as its migration, while no step waits for it. A worker has
   * many such activities, so Temporal gets their heartbeats less often than those of `long` ones.
   */
  endless: {
    startToCloseTimeout: '30d',
    heartbeatTimeout: '60s',
    retry: OFTEN,
  },
  /** Like `long`, for heavy data work. */
  heavy: DATA_WORK,
  /**
   * Like `heavy`, but on a separate task queue. The hold lasts until this work has ended, so the
   * work must not wait for windows of other migrations.
   */
  held: DATA_WORK,
} as const satisfies Record<string, ActivityOptions>;

export type Patience = keyof typeof PATIENCE;

const ROLES: Readonly<Record<Patience, QueueRole>> = {
  quick: 'steps',
  patient: 'steps',
  long: 'watch',
  endless: 'watch',
  heavy: 'data',
  held: 'hold',
};

/**
 * Makes a cancelled step wait until its activity has ended. Without this wait, the activity could
 * continue while the rollback undoes the step.
 */
const ENDED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;
/**
 * Used for activities that make nothing that a rollback must undo. If such an activity is
 * cancelled, the workflow continues without waiting for its end.
 */
const LEFT = ActivityCancellationType.TRY_CANCEL;

const CANCELLATION: Readonly<Record<keyof Activities, ActivityCancellationType>> = {
  activeBatchRun: LEFT,
  adoptObjects: ENDED,
  awaitPipeline: LEFT,
  batchAction: ENDED,
  catchUp: LEFT,
  claimGroup: ENDED,
  claimSlot: ENDED,
  commitCutover: ENDED,
  compareSlice: LEFT,
  copyTables: ENDED,
  drainTo: LEFT,
  dropFolds: ENDED,
  endAttempts: ENDED,
  ensureConnector: ENDED,
  ensureLease: ENDED,
  ensurePipeline: ENDED,
  ensurePublication: ENDED,
  ensureSinkTable: ENDED,
  ensureSlot: ENDED,
  ensureTopics: ENDED,
  fence: ENDED,
  findHoldSlot: LEFT,
  guard: LEFT,
  handOver: ENDED,
  handOverConnector: ENDED,
  identifySlot: ENDED,
  isSwitched: LEFT,
  listLeftovers: LEFT,
  listOwned: LEFT,
  markReaders: LEFT,
  moveSink: ENDED,
  observeRoute: LEFT,
  openMigration: LEFT,
  openProof: LEFT,
  openRun: LEFT,
  orderRoute: ENDED,
  pauseSink: ENDED,
  pipelineHasMoved: LEFT,
  preflight: LEFT,
  proveRoute: LEFT,
  readersOfBatch: LEFT,
  readEdit: LEFT,
  readFacts: LEFT,
  record: ENDED,
  recordProof: ENDED,
  recordSweep: ENDED,
  releaseAdopted: ENDED,
  releaseFence: ENDED,
  removeConnector: ENDED,
  removeGroup: ENDED,
  removeJob: ENDED,
  removeLease: ENDED,
  removeProof: ENDED,
  removePublication: ENDED,
  removeSinkTable: ENDED,
  removeSlot: ENDED,
  removeTopic: ENDED,
  removeTrigger: ENDED,
  repeatOverwritten: ENDED,
  replaySlice: ENDED,
  resumeConnector: ENDED,
  retireRole: ENDED,
  routeBack: ENDED,
  runWindow: LEFT,
  takeBaseline: LEFT,
  untilNoBatchRun: LEFT,
  verifyToken: LEFT,
  watchPolled: LEFT,
  watchSnapshot: LEFT,
};

interface Callable {
  executeWithOptions(
    options: ActivityOptions & { summary?: string },
    args: unknown[],
  ): Promise<unknown>;
}

const proxies = Object.fromEntries(
  Object.entries(PATIENCE).map(([name, options]) => [name, proxyActivities<Activities>(options)]),
) as unknown as Record<Patience, Record<string, Callable>>;

/**
 * Runs one activity. The summary MUST describe its work in the operator's words, in at most 120
 * characters.
 */
export function call<K extends keyof Activities>(
  patience: Patience,
  name: K,
  summary: string,
  ...args: Parameters<Activities[K]>
): ReturnType<Activities[K]> {
  return callWith({}, patience, name, summary, args);
}

/**
 * Runs one activity that must start within `ms`, because a later start would be useless. The call
 * fails if no worker has a free slot within that time.
 */
export function callWithin<K extends keyof Activities>(
  ms: number,
  patience: Patience,
  name: K,
  summary: string,
  ...args: Parameters<Activities[K]>
): ReturnType<Activities[K]> {
  return callWith({ scheduleToStartTimeout: ms }, patience, name, summary, args);
}

function callWith<K extends keyof Activities>(
  options: ActivityOptions,
  patience: Patience,
  name: K,
  summary: string,
  args: Parameters<Activities[K]>,
): ReturnType<Activities[K]> {
  const taskQueue = queueFor(workflowInfo().taskQueue, ROLES[patience]);
  return proxies[patience][name]!.executeWithOptions(
    {
      ...PATIENCE[patience],
      ...options,
      taskQueue,
      cancellationType: CANCELLATION[name],
      summary: summary.slice(0, 120),
    },
    args,
  ) as ReturnType<Activities[K]>;
}
