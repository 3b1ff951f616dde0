// The closed list of what can go wrong, with what a person can do about it. Activities throw Problem; one classifier makes it a Temporal failure.

export interface FailureKind {
  readonly meaning: string;
  /** Worth trying again without a person: the world may have changed. */
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
    meaning: 'this name cannot be started',
    retryable: false,
    remedy: 'choose another metadata.name, or clean up what the earlier run left',
  },
  'preflight-failed': {
    meaning: 'a precondition does not hold or could not be checked',
    retryable: true,
    remedy: 'mend what the checks name, then: sluice retry',
  },
  unreachable: {
    meaning: 'a system does not answer',
    retryable: true,
    remedy: 'bring the system back; the migration goes on by itself, or at once with: sluice retry',
  },
  'permission-denied': {
    meaning: 'the database or cluster refused our role',
    retryable: true,
    remedy: 'grant what is named, then: sluice retry',
  },
  'slot-lost': {
    meaning: 'the replication slot is gone, invalidated or not ours any more',
    retryable: false,
    remedy:
      'sluice retry starts a new generation (fresh slot, topics and snapshot); sluice rollback ends the migration',
  },
  'wal-budget': {
    meaning: 'the slot retained more WAL than walBudget allows',
    retryable: false,
    remedy: 'sluice retry starts a new generation; give walBudget more room if the source has it',
  },
  'topic-lost': {
    meaning: 'a topic was deleted, re-created or lost records that are needed',
    retryable: false,
    remedy: 'sluice retry starts a new generation with fresh topics',
  },
  'connector-failed': {
    meaning: 'a connector or its task is FAILED and restarts did not help',
    retryable: true,
    remedy: 'mend the cause shown in the trace, then: sluice retry',
  },
  'connector-gone': {
    meaning: 'a connector that the migration made was deleted from Kafka Connect',
    retryable: true,
    remedy:
      'sluice retry creates it again with the planned configuration, and it reads on from its stored position; sluice rollback ends the migration',
  },
  'connector-drift': {
    meaning: 'a connector exists with a configuration that is not ours',
    retryable: true,
    remedy: 'undo the foreign change (or remove the foreign connector), then: sluice retry',
  },
  'capture-changed': {
    meaning:
      'what reaches the topics is not all that is compared: the publication or a captured table was changed',
    retryable: true,
    remedy:
      'undo the change that is named; the migration goes on by itself, or at once with: sluice retry',
  },
  'snapshot-failed': {
    meaning: "Debezium's initial snapshot reported a failure",
    retryable: false,
    remedy: 'look at the notification shown; sluice retry starts a new generation',
  },
  'catch-up-timeout': {
    meaning: 'barriers did not come through in time',
    retryable: true,
    remedy: 'see where it stops (connector, pipeline group or sink), mend it, then: sluice retry',
  },
  'hold-too-long': {
    meaning: 'the cut-over would hold the result longer than maxHold allows',
    retryable: false,
    remedy:
      'lighten the source or the pipeline, then: sluice retry; or sluice rollback and start again with a longer cutover.maxHold',
  },
  'pipeline-must-move': {
    meaning: 'the topics are new, and the pipeline, which is not ours to deploy, has not read them',
    retryable: false,
    remedy:
      'deploy the pipeline on the topics that are named, with nothing of what it computed before; the migration goes on by itself, or at once with: sluice retry',
  },
  'pipeline-failed': {
    meaning: 'the pipeline was refused, or does not run',
    retryable: true,
    remedy: "mend what Flink names (the job's exception is in its own UI), then: sluice retry",
  },
  'object-not-ours': {
    meaning: 'something of that name exists and is not in our ledger',
    retryable: true,
    remedy: 'remove or rename it (we never adopt or drop what is not ours), then: sluice retry',
  },
  'route-unexpected': {
    meaning: 'what consumers read is not what the plan expects',
    retryable: true,
    remedy:
      'restore the view (or the trigger of a shared table) to what the plan names, then: sluice retry',
  },
  'batch-action': {
    meaning: "the batch's pause, resume or retire statement failed",
    retryable: true,
    remedy: 'mend the statement or the privilege, then: sluice retry',
  },
  'consumers-remain': {
    meaning: "something still reads the batch's old output, which nobody will write any more",
    retryable: false,
    remedy:
      'let it read the stream side, then: sluice retry. A retry with readers left completes in spite of them, and the audit names them; sluice rollback goes back',
  },
  'lock-timeout': {
    meaning: 'a lock was not granted within 2 s; we do not queue in front of the application',
    retryable: true,
    remedy: 'wait for the long transaction that is named, then: sluice retry',
  },
  'clean-up': {
    meaning: 'something of ours could not be removed',
    retryable: true,
    remedy: 'remove what blocks it, then: sluice retry',
  },
  unsupported: {
    meaning: 'this server or topic does something we cannot read',
    retryable: false,
    remedy: 'change what is named',
  },
  unexpected: {
    meaning: 'an error we do not know',
    retryable: true,
    remedy: 'look at the detail and the worker log, then: sluice retry',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** A failure with place and cause; the remedy defaults to that of its code. */
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

/** Why the migration stands still, as `get` shows it. */
export interface Blocked {
  readonly code: FailureCode;
  readonly since: string;
  readonly detail: string;
  readonly remedy: string;
}

/** These end a generation: what was captured is not one unbroken history any more. */
export const ENDS_GENERATION: readonly FailureCode[] = [
  'slot-lost',
  'wal-budget',
  'topic-lost',
  'snapshot-failed',
];

export const isFailureCode = (text: string): text is FailureCode => Object.hasOwn(FAILURES, text);
