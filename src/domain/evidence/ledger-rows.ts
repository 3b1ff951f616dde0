// Plain JSON shapes that workflow, activities, ledger and command line exchange.
import type { Blocked } from '../failure.js';
import type { Outcome, Phase } from '../migration/phase.js';
import type { MigrationSpec } from '../migration/spec.js';
import type { Standing } from '../migration/run-standing.js';
import type { DifferenceClass, WindowRow } from './window.js';

/** Each has a module in domain/objects and one in activities/objects. */
export type ObjectKind =
  'lease' | 'publication' | 'slot' | 'topic' | 'sink' | 'group' | 'connector' | 'job' | 'trigger';

/** Something that we made: registered in the ledger before it is made, removed or handed over at the end. */
export interface OwnedObject {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Database, Kafka cluster or Connect URL that holds it. */
  readonly where: string;
}

/**
 * Identifies one run of one migration; every activity gets it. `runKey` is the first run id and
 * stays the same across continue-as-new.
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
  /** The person's own reason; absent where none was given. */
  readonly comment?: string;
}

export interface Lag {
  readonly bytes: number | null;
  readonly records: number | null;
  readonly ms: number | null;
}

export interface Route {
  readonly side: 'batch' | 'stream';
  readonly observedAt: string;
}

/** `sluice get ID -o json` without the windows, which the ledger holds (contract). */
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
  readonly evidenceId: string | null;
  readonly lag: Lag;
  readonly tables: readonly TableProgress[];
  readonly approvals: readonly Approval[];
  readonly route: Route | null;
  readonly handedOver: readonly { readonly kind: string; readonly name: string }[];
  readonly leftovers: readonly { readonly kind: string; readonly name: string }[];
  readonly next: readonly string[];
  /**
   * The event that the run waits for, as one sentence; null = its activities report it, or it has
   * ended.
   */
  readonly waiting: string | null;
}

/** `standing` says whether Temporal still runs it. The workflow's own status lacks this field. */
export type StatusWithWindows = Status & {
  readonly windows: readonly WindowRow[];
  readonly standing?: Standing;
};

/** The outcome of a rehearsed cut-over. */
export interface Rehearsed {
  /** Null = everything up to the commit went well, and was released. */
  readonly refused: string | null;
  readonly holdMs: number | null;
}

/** One line of the audit: who did what, and what came of it. `id` makes recording idempotent. */
export interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly detail: string;
}

/**
 * The evidence of one window: its document, the document's digest, and the link to the windows
 * before it.
 */
export interface EvidenceLink {
  readonly number: number;
  readonly digest: string;
  readonly chain: string;
  readonly document: object;
}

/** The number of kept differences of a subject's column, over all windows. */
export interface ColumnTally {
  readonly subject: string;
  readonly class: DifferenceClass;
  /** Null = whole rows. */
  readonly column: string | null;
  readonly kept: number;
  /** Number of the last window that found it. */
  readonly last: number;
}
