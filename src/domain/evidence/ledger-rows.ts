// Defines plain JSON shapes that the workflow, the activities, the ledger and the commands share.
import type { Blocked } from '../failure.js';
import type { Outcome, Phase } from '../migration/phase.js';
import type { MigrationSpec } from '../migration/spec.js';
import type { Standing } from '../migration/run-standing.js';
import type { VerdictName } from './verdict.js';
import type { DifferenceClass, WindowRow } from './window.js';

/**
 * The kinds of owned objects. Each kind has one module in domain/objects and one in
 * activities/objects. The sink's table is a `sink-table`; its connector is a `connector`.
 */
export type ObjectKind =
  | 'lease'
  | 'publication'
  | 'slot'
  | 'topic'
  | 'sink-table'
  | 'group'
  | 'connector'
  | 'job'
  | 'trigger';

/**
 * An object that this migration made. It is registered in the ledger before it is made, and removed
 * or handed over at the end. Adopted objects, which other owners made, have the same shape.
 */
export interface OwnedObject {
  readonly kind: ObjectKind;
  readonly name: string;
  /** The system that holds it, such as a database, a Kafka cluster or a Kafka Connect URL. */
  readonly where: string;
}

/**
 * Identifies one run of one migration. The activities of the run receive it. `runKey` is the first
 * run id, which stays the same across continue-as-new.
 */
export interface MigrationRef {
  readonly name: string;
  readonly iteration: number;
  readonly generation: number;
  readonly workflowId: string;
  readonly runKey: string;
  readonly planHash: string;
  readonly spec: MigrationSpec;
}

export interface TableProgress {
  readonly table: string;
  readonly rowsScanned: number | null;
  readonly rowsTotal: number | null;
}

export interface Approval {
  readonly approver: string;
  readonly decision: 'approve' | 'reject';
  readonly evidenceId: string | null;
  readonly accepted: boolean;
  readonly reason: string;
  readonly authenticated: boolean;
  readonly at: string;
  /** The person's own reason. Absent if they gave none. */
  readonly comment?: string;
}

export interface Lag {
  readonly bytes: number | null;
  readonly records: number | null;
  readonly ms: number | null;
}

export interface ObservedRoute {
  readonly side: 'batch' | 'stream';
  readonly observedAt: string;
}

/**
 * The output of `sluice get ID -o json` without the windows, which are in the ledger. It is part of
 * the contract, so fields keep their meaning.
 */
export interface Status {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly id: string;
  readonly name: string;
  readonly iteration: number;
  readonly generation: number;
  readonly phase: Phase | null;
  readonly outcome: Outcome | null;
  readonly blocked: Blocked | null;
  readonly paused: boolean;
  readonly epoch: number;
  readonly needsApproval: boolean;
  /** True if enough people have approved the evidence, and the cut-over has not begun yet. */
  readonly approved?: boolean;
  readonly evidenceId: string | null;
  readonly lag: Lag;
  readonly tables: readonly TableProgress[];
  readonly approvals: readonly Approval[];
  readonly route: ObservedRoute | null;
  readonly handedOver: readonly { readonly kind: string; readonly name: string }[];
  readonly leftovers: readonly { readonly kind: string; readonly name: string }[];
  readonly next: readonly string[];
  /**
   * The event that the run waits for, as one sentence. Null if an activity reports the wait
   * instead, or if the run has ended.
   */
  readonly waiting: string | null;
}

/**
 * `standing` says whether Temporal still runs the workflow. The status that the workflow itself
 * returns lacks this field.
 */
export type StatusWithWindows = Status & {
  readonly windows: readonly WindowRow[];
  readonly standing?: Standing;
};

/** The spec in force, as the workflow's query `spec` returns it. */
export interface SpecShown {
  /** The first run id. */
  readonly run: string;
  readonly planHash: string;
  readonly isCommitted: boolean;
  /** Null until the phase `prepare` has accepted the spec. */
  readonly spec: MigrationSpec | null;
}

/** A person's request for a window now. */
export interface AskedWindow {
  readonly by: string;
  readonly isFull: boolean;
  /** True if the person waits for the window's verdict. */
  readonly waits: boolean;
}

/** The answer to `sluice window`. `window` is null if the request was refused or did not wait. */
export interface WindowAnswer {
  readonly refused: string | null;
  readonly window: {
    readonly number: number;
    readonly verdict: VerdictName;
    readonly reason: string;
  } | null;
}

/** The outcome of a rehearsed cut-over. */
export interface Rehearsed {
  /** The reason why the rehearsal failed. Null if all steps before the commit succeeded. */
  readonly refused: string | null;
  readonly holdMs: number | null;
}

/**
 * The evidence of one window: its document, the document's digest, and its link to the earlier
 * windows.
 */
export interface EvidenceLink {
  readonly number: number;
  readonly digest: string;
  readonly chain: string;
  readonly document: object;
}

/** The number of stored differences of one class in one column of a subject, over all windows. */
export interface ColumnTally {
  readonly subject: string;
  readonly class: DifferenceClass;
  /** Null means whole rows. */
  readonly column: string | null;
  readonly kept: number;
  /** The number of the last window that found such a difference. */
  readonly last: number;
}
