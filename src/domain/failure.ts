// Lists every kind of failure with its meaning and remedy. Activities throw a Problem, and one
// function turns it into a Temporal failure.

export interface FailureKind {
  readonly meaning: string;
  /** True if Temporal may retry the activity before the run is blocked. */
  readonly retryable: boolean;
  readonly remedy: string;
}

export const FAILURES = {
  'spec-invalid': {
    meaning: 'the spec is wrong',
    retryable: false,
    remedy: 'correct the spec (sluice validate -f FILE lists every problem) and start again',
  },
  'name-refused': {
    meaning: 'a migration with this name cannot be started',
    retryable: false,
    remedy: 'choose another metadata.name, or clean up what the earlier run left',
  },
  'preflight-failed': {
    meaning: 'a precondition does not hold or could not be checked',
    retryable: false,
    remedy: 'fix what the checks name, then: sluice retry',
  },
  unreachable: {
    meaning: 'a system does not answer',
    retryable: true,
    remedy:
      'start the system again; the migration continues by itself, or at once with: sluice retry',
  },
  'permission-denied': {
    meaning: "the database or cluster denied access to Sluice's role",
    retryable: true,
    remedy: 'grant the named right, then: sluice retry',
  },
  'slot-lost': {
    meaning: 'the replication slot is gone, invalidated or owned by another system',
    retryable: false,
    remedy:
      'sluice retry starts a new generation (fresh slot, topics and snapshot); sluice rollback ends the migration',
  },
  'wal-budget': {
    meaning: 'the slot retained more WAL than walBudget allows',
    retryable: false,
    remedy:
      'find out why the connector fell behind, then: sluice retry, which starts a new generation with the same walBudget; to raise walBudget, roll back and start again',
  },
  'topic-lost': {
    meaning: 'a topic was deleted, re-created or lost necessary records',
    retryable: false,
    remedy: 'sluice retry starts a new generation with fresh topics',
  },
  'connector-failed': {
    meaning: 'a connector or its task is FAILED and restarts did not help',
    retryable: true,
    remedy: 'fix the cause shown in the trace, then: sluice retry',
  },
  'connector-gone': {
    meaning: 'a connector of this migration was deleted from Kafka Connect',
    retryable: false,
    remedy:
      'sluice retry creates it again with the planned configuration, and it continues from its stored position; sluice rollback ends the migration',
  },
  'connector-paused': {
    meaning: 'a connector of this migration was paused or stopped at Kafka Connect',
    retryable: true,
    remedy: 'resume it at Kafka Connect; the migration continues by itself',
  },
  'connector-drift': {
    meaning: 'a connector exists with a configuration that Sluice did not write',
    retryable: false,
    remedy: 'undo that change (or remove that connector), then: sluice retry',
  },
  'capture-changed': {
    meaning:
      'some compared rows are not captured, because the publication or a captured table was changed',
    retryable: true,
    remedy:
      'undo the named change; the migration continues by itself, or at once with: sluice retry',
  },
  'snapshot-failed': {
    meaning: 'Debezium reported that its initial load failed',
    retryable: false,
    remedy: 'read the notification in the detail; sluice retry starts a new generation',
  },
  'catch-up-timeout': {
    meaning: 'barriers did not arrive in time',
    retryable: true,
    remedy:
      'find where the barrier stops (connector, pipeline group or sink), fix the cause, then: sluice retry',
  },
  'hold-too-long': {
    meaning: 'the cut-over would pause the batch for longer than maxHold allows',
    retryable: false,
    remedy:
      'reduce the load on the source or the pipeline, or raise cutover.maxHold with sluice edit; then: sluice retry',
  },
  'pipeline-must-move': {
    meaning:
      'a new generation has new topics, and the externally deployed pipeline has not read them yet',
    retryable: false,
    remedy:
      'deploy the pipeline on the named topics, without its earlier state and offsets; the migration continues by itself, or at once with: sluice retry',
  },
  'pipeline-failed': {
    meaning: 'the pipeline was rejected, or does not run',
    retryable: true,
    remedy:
      "fix the error that the detail shows (Flink's UI also shows the job's exception), then: sluice retry",
  },
  'object-not-ours': {
    meaning:
      'an object of that name exists, and the ledger does not say that this migration created it',
    retryable: false,
    remedy:
      'remove or rename it if no other migration (sluice list) or application uses it, then: sluice retry; otherwise roll back, and start with another name',
  },
  'route-unexpected': {
    meaning: 'consumers do not read what the plan expects',
    retryable: true,
    remedy: 'restore the view (or the trigger of a shared table) as planned, then: sluice retry',
  },
  'already-ended': {
    meaning: 'the workflow was reset to a run or a generation that had already ended',
    retryable: false,
    remedy:
      'to keep what the end of the run left, terminate the workflow (temporal workflow terminate); before the phase `complete`, sluice rollback routes consumers to the batch and removes what the run still owns',
  },
  'batch-action': {
    meaning: "the batch's pause, resume or retire statement failed",
    retryable: true,
    remedy: 'fix the statement or the privilege, then: sluice retry',
  },
  'consumers-remain': {
    meaning:
      "a reader still uses the batch's table, to which nothing writes after the phase `complete`",
    retryable: false,
    remedy:
      'point that reader at the stream side, then: sluice retry. If readers remain, a retry completes anyway, and the audit names them; sluice rollback returns to the batch',
  },
  'lock-timeout': {
    meaning:
      'a lock was not granted within 2 s, or a transaction for which Sluice waits did not end in time. A longer wait for a lock would make the application wait behind it',
    retryable: true,
    remedy: 'wait until the named transaction ends, then: sluice retry',
  },
  'clean-up': {
    meaning: 'an object of this migration could not be removed',
    retryable: true,
    remedy: 'remove the obstacle, then: sluice retry',
  },
  unsupported: {
    meaning: 'this server or topic uses something that Sluice does not support',
    retryable: false,
    remedy: 'change the setting or object that the detail names',
  },
  unexpected: {
    meaning: 'an unknown error',
    retryable: true,
    remedy: 'read the detail and the worker log, then: sluice retry',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** A failure with its cause. The remedy defaults to the remedy of its code. */
export class Problem extends Error {
  readonly code: FailureCode;
  readonly remedy: string;

  constructor(code: FailureCode, detail: string, remedy?: string) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.remedy = remedy ?? FAILURES[code].remedy;
  }
}

/** The reason why the migration is blocked, as `get` shows it. */
export interface Blocked {
  readonly code: FailureCode;
  readonly since: string;
  readonly detail: string;
  readonly remedy: string;
}

/**
 * These failures end a generation (the current capture), because its topics lack changes or rows.
 */
export const ENDS_GENERATION: readonly FailureCode[] = [
  'slot-lost',
  'wal-budget',
  'topic-lost',
  'snapshot-failed',
];

/**
 * After these failures, the run does not try again by itself. It ends, or it waits for a person,
 * because the retry is a decision.
 */
export const NEEDS_PERSON: readonly FailureCode[] = [
  ...ENDS_GENERATION,
  'spec-invalid',
  'name-refused',
  'connector-gone',
  'hold-too-long',
  'consumers-remain',
];

export const isFailureCode = (text: string): text is FailureCode => Object.hasOwn(FAILURES, text);
