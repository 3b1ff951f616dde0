// Decides whether Temporal still runs a migration, and if not, why. The commands of the CLI ask
// Temporal; this file only judges the answers.

/** Temporal's description of the newest run of a workflow id. Times are ISO. */
export interface SeenWorkflow {
  /** The status as the SDK names it: RUNNING, TERMINATED, … */
  readonly status: string;
  readonly closedAt: string | null;
  /** The failure. Null unless the status is FAILED. */
  readonly failure: string | null;
  /** The number of the pending workflow task's attempt. 0 if no task is pending. */
  readonly taskAttempt: number;
  /** The error of the newest failed workflow task. Null if none is known. */
  readonly taskFailure: string | null;
  readonly taskQueue: string;
  /** Milliseconds since a worker last polled that queue. Null if no poll is known. */
  readonly polledMsAgo: number | null;
  /**
   * True if the run has just answered a query, so a worker is alive. Null if it was not asked. Then
   * a worker that polls the run's task queue counts as alive.
   */
  readonly answered: boolean | null;
  /** The activities that a person paused at Temporal. */
  readonly pausedActivities: readonly PausedActivity[];
}

/** An activity that a person paused at Temporal. It starts no attempt until it is unpaused. */
export interface PausedActivity {
  readonly workflowId: string;
  readonly id: string;
  readonly name: string;
}

export type Seen =
  | { readonly kind: 'unreachable'; readonly problem: string }
  | { readonly kind: 'unknown-workflow'; readonly where: string }
  | { readonly kind: 'workflow'; readonly workflow: SeenWorkflow };

/** The ledger's record of the run that is shown. Null if the ledger has no record of it. */
export interface Recorded {
  readonly at: string;
  readonly hasEnded: boolean;
  readonly isCommitted: boolean;
  /** True if the shown run is not the newest run of the workflow. */
  readonly isOlderRun: boolean;
}

export interface Standing {
  /** Says where the shown data comes from. */
  readonly from: 'workflow' | 'ledger';
  /** ISO: the time at which the data was true. */
  readonly at: string;
  /**
   * The reason why the run makes no progress, or why its progress is unknown. Null if there is no
   * problem.
   */
  readonly problem: string | null;
  /** Each entry is a command, or one action for a person. */
  readonly remedy: readonly string[];
  /**
   * The problem in a word or two for a table: `terminated`, `no worker`. Null if nothing is wrong.
   */
  readonly state: string | null;
  /** True if the run can never continue, so a person must clean up after it. */
  readonly isDead: boolean;
  /**
   * True if the shown status belongs to the previous run, because the newest run has not recorded
   * anything yet.
   */
  readonly isEarlierRun: boolean;
  /** The wait that each activity reported last. */
  readonly waits: readonly string[];
}

const DEAD: Readonly<Record<string, string>> = {
  TERMINATED: 'was terminated',
  TIMED_OUT: 'timed out',
  CANCELLED: 'was closed as cancelled',
  FAILED: 'failed',
};

/**
 * If a workflow task reaches this attempt while a worker polls its queue, the fault is in the task
 * itself, even if Temporal names no error. A worker that dies costs only one attempt.
 */
const TRIES_WITHOUT_REASON = 3;

/** The poll of a live worker returns within a minute. */
const POLLS_MS = 70_000;

/**
 * Judges a run from the answers of Temporal and the ledger. `now` is ISO. `waits` contains the
 * waits that pending activities report.
 */
export function judgeStanding(
  seen: Seen,
  recorded: Recorded | null,
  now: string,
  waits: readonly string[] = [],
): Standing {
  const isLive = seen.kind === 'workflow' && seen.workflow.answered === true && !recorded?.hasEnded;
  const from = isLive ? 'workflow' : 'ledger';
  const found = troubleOf(seen, recorded);
  const trouble = found.problem === null ? pausedIn(seen) : found;
  const { isDead = false } = trouble;
  const ended = isDead && seen.kind === 'workflow' ? seen.workflow.closedAt : null;
  const at = isLive ? (ended ?? now) : (recorded?.at ?? now);
  const isRunning = seen.kind === 'workflow' && seen.workflow.status === 'RUNNING';
  const isEarlierRun = isRunning && (recorded?.isOlderRun ?? false);
  return { ...trouble, from, at, isDead, isEarlierRun, waits: isDead ? [] : waits };
}

/**
 * Returns why a workflow cannot answer a query at all. Returns null if it may still answer: a
 * worker that polls its queue may only be busy.
 */
export function obstacleOf(seen: Seen): Pick<Standing, 'problem' | 'remedy'> | null {
  const isPolled = seen.kind === 'workflow' && (seen.workflow.polledMsAgo ?? Infinity) <= POLLS_MS;
  const trouble = troubleOf(
    isPolled ? { ...seen, workflow: { ...seen.workflow, answered: true } } : seen,
    null,
  );
  return trouble.problem === null ? null : trouble;
}

type Trouble = Pick<Standing, 'problem' | 'remedy' | 'state'> & { readonly isDead?: boolean };

const FINE: Trouble = { problem: null, remedy: [], state: null };

/**
 * Says what stops while one of these activities is paused. Every other activity is a step, and the
 * run waits for it.
 */
const STOPS: Readonly<Record<string, string>> = {
  guard: 'nothing watches the connectors, the slot and the WAL that it retains',
  record: 'the ledger gets no news of the run',
};

/**
 * Describes the activities that are paused. Such a pause does not keep the workflow from answering,
 * so `obstacleOf` ignores it.
 */
function pausedIn(seen: Seen): Trouble {
  const paused = seen.kind === 'workflow' ? seen.workflow.pausedActivities : [];
  if (paused.length === 0) return FINE;
  return {
    problem: paused
      .map(
        ({ name, id }) =>
          `activity ${name} (${id}) is paused at Temporal, so ${STOPS[name] ?? 'the run waits for it'}`,
      )
      .join('; '),
    state: 'activity paused',
    remedy: paused.map(
      ({ workflowId, id }) =>
        `temporal activity unpause --workflow-id ${workflowId} --activity-id ${id}`,
    ),
  };
}

function troubleOf(seen: Seen, recorded: Recorded | null): Trouble {
  if (seen.kind === 'workflow') return troubleOfWorkflow(seen.workflow, recorded);
  if (recorded?.hasEnded) return FINE; // the ledger's record is final
  if (seen.kind === 'unreachable')
    return {
      problem: seen.problem,
      state: 'Temporal does not answer',
      remedy: ['check TEMPORAL_ADDRESS, or the profile that TEMPORAL_PROFILE names'],
    };
  return {
    problem: `${seen.where} knows no such workflow, because it is in a different namespace or was removed after its retention`,
    state: 'not at Temporal',
    remedy: ['check TEMPORAL_NAMESPACE', 'sluice doctor --leftovers'],
  };
}

function troubleOfWorkflow(workflow: SeenWorkflow, recorded: Recorded | null): Trouble {
  const ended = DEAD[workflow.status];
  if (ended !== undefined)
    return recorded?.hasEnded && !recorded.isOlderRun ? FINE : dead(workflow, ended, recorded);
  if (workflow.status === 'PAUSED')
    return {
      problem: 'its workflow is paused at Temporal, so its steps and its guard have stopped',
      state: 'paused at Temporal',
      remedy: ['temporal workflow unpause --workflow-id ID'],
    };
  if (workflow.status === 'COMPLETED' && !workflow.answered && recorded?.hasEnded === false)
    return {
      problem: `its workflow completed${closed(workflow)}, but the ledger does not have its outcome`,
      state: 'outcome not recorded',
      remedy: ['sluice worker', 'sluice get NAME, which then asks the workflow'],
    };
  if (workflow.status !== 'RUNNING' || (workflow.answered && workflow.taskAttempt < 2)) return FINE;
  const isPolled = workflow.answered || (workflow.polledMsAgo ?? Infinity) <= POLLS_MS;
  const tries = workflow.taskFailure !== null ? 2 : isPolled ? TRIES_WITHOUT_REASON : Infinity;
  if (workflow.taskAttempt >= tries)
    return {
      problem: `its workflow task fails again and again (attempt ${workflow.taskAttempt}): ${workflow.taskFailure ?? 'Temporal names no reason'}. No step runs until it succeeds`,
      state: 'workflow task fails',
      remedy: [
        "read the worker's log",
        'run the version of sluice worker that served this run before',
        'see docs/runbook.md, "A workflow task that fails"',
      ],
    };
  if (workflow.answered) return FINE;
  const { taskQueue, polledMsAgo } = workflow;
  if (polledMsAgo === null || polledMsAgo > POLLS_MS) {
    const last =
      polledMsAgo === null ? '' : ` (the last poll was ${Math.round(polledMsAgo / 1000)} s ago)`;
    return {
      problem: `no worker polls task queue ${taskQueue}${last}, so nothing runs`,
      state: 'no worker',
      remedy: ['sluice worker'],
    };
  }
  if (workflow.answered === null) return FINE;
  return {
    problem: `no worker answers on task queue ${taskQueue}, though one polled it ${Math.round(polledMsAgo / 1000)} s ago; the worker has stopped, is too busy, or has a version that is not current`,
    state: 'no worker answers',
    remedy: ['sluice worker'],
  };
}

const closed = ({ closedAt }: Pick<SeenWorkflow, 'closedAt'>): string =>
  closedAt === null ? '' : ` at ${closedAt}`;

function dead(
  { closedAt, failure, status }: SeenWorkflow,
  ended: string,
  recorded: Recorded | null,
): Trouble {
  const when = closed({ closedAt });
  if (status === 'FAILED' && (recorded === null || recorded.isOlderRun || recorded.hasEnded))
    return {
      problem: `its newest run was refused${when}: ${failure ?? 'unknown reason'}`,
      state: 'refused',
      remedy: ['correct the spec', 'sluice start -f FILE'],
      isDead: true,
    };
  return {
    problem: `its workflow ${ended}${when}${failure ? ` (${failure})` : ''}, so its steps and its guard have stopped, and its replication slot retains WAL on the source`,
    state: status.toLowerCase().replace('_', ' '),
    remedy: [
      `sluice doctor --leftovers --remove${recorded?.isCommitted ? ' --route-back' : ''}`,
      'sluice start -f FILE',
    ],
    isDead: true,
  };
}
