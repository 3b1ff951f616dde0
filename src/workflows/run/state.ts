// Defines the whole state of a run, as plain JSON, because continue-as-new passes it to the next
// run. Only the workflow's code changes it.
import type { AuditEvent } from '../../domain/audit.js';
import type { ReaderMark } from '../../activities/cutover/batch-output-readers.js';
import type { TablesCost } from '../../activities/windows/tables/compare-tables.js';
import type { BrokenGlass, CoSignature } from '../../domain/decisions/cosign.js';
import type { PendingEdit } from '../../domain/decisions/edit-gate.js';
import { durationMs } from '../../domain/values/duration.js';
import type { Blocked } from '../../domain/failure.js';
import type { Streak } from '../../domain/evidence/streak.js';
import type {
  Approval,
  Lag,
  OwnedObject,
  ObservedRoute,
  TableProgress,
} from '../../domain/evidence/ledger-rows.js';
import type { Outcome, Phase } from '../../domain/migration/phase.js';
import type { CoverageDay, MigrationSpec } from '../../domain/migration/spec.js';
import type { VerdictName } from '../../domain/evidence/verdict.js';
import type { RecentResult } from '../../domain/plan/final-result.js';
import { nothingWatched, troubleOf, type WatchedState } from './watched-connectors.js';

/** Returns the problem that blocks the run, its own or one of the guard. Otherwise, null. */
export const blockedOf = ({
  blocked,
  watched,
}: Pick<State, 'blocked' | 'watched'>): Blocked | null => blocked ?? troubleOf(watched);

/** A request for the way back: the outcome that it leads to, who asked for it, and why. */
export interface WayBack {
  readonly outcome: Exclude<Outcome, 'migrated'>;
  readonly by: string;
  readonly reason: string;
}

export interface LastWindow {
  readonly number: number;
  readonly verdict: VerdictName;
  readonly reason: string;
  readonly at: string;
  readonly durationMs: number;
}

export interface State {
  runKey: string;
  spec: MigrationSpec | null;
  planHash: string;
  iteration: number;
  generation: number;
  phase: Phase | null;
  /** The phases that this generation has completed. `enter` skips them after continue-as-new. */
  done: Phase[];
  outcome: Outcome | null;
  blocked: Blocked | null;
  /** The number of automatic attempts since the block began. */
  selfRetries: number;
  /**
   * Set from the loss of a generation until the next one begins. `isAnswered`: a person asked for
   * the next generation.
   */
  lost: { readonly problem: Blocked; readonly isAnswered: boolean } | null;
  paused: boolean;
  wayBack: WayBack | null;
  committedAt: string | null;
  /** The token of this run's newest fence. Null after its release. A release needs the token. */
  fenceToken: string | null;
  /** The number of attempts at the cut-over so far. */
  attempts: number;
  /**
   * After a failed attempt, the next attempt begins no earlier than this time (ISO), unless a
   * person approves again. Null if the next attempt need not wait.
   */
  nextAttemptAt: string | null;
  epoch: number;
  /** The digest of the facts, which are in the ledger. Null before the facts were first read. */
  facts: string | null;
  voidedAt: string | null;
  windows: number;
  lastWindow: LastWindow | null;
  passesInARow: number;
  /** The number of keys that the windows of the streak compared. */
  comparedInARow: number;
  covered: CoverageDay[];
  /** True after a failed window. The next window voids `covered`, unless it passes or fails. */
  isCoverageOnTrial: boolean;
  /** The restart after which a full window must pass. Null if no such window is needed. */
  restart: string | null;
  /** The plan hash that the evidence id contains. It changes only with a new epoch. */
  evidencePlan: string;
  /** Counts edits that change what evidence depends on. Such an edit voids a running window. */
  evidenceEdits: number;
  /** An edit that waits for more signatures. */
  pendingEdit: PendingEdit | null;
  /** Set from the moment when a person asks for a window until the next window begins. */
  wantedWindow: { readonly isFull: boolean } | null;
  evidenceAt: string | null;
  matchRatio: number | null;
  needsApproval: boolean;
  approvalSince: string | null;
  approvals: Approval[];
  /** Nonces of the accepted tokens. Each token counts only once. */
  nonces: string[];
  coSignatures: CoSignature[];
  brokenGlass: BrokenGlass | null;
  /** True if two people asked to complete early. The soak then needs at most one passed window. */
  completesEarly: boolean;
  /**
   * The moment after the commit, or of the last report about readers. Only later reads of the
   * batch's table are reported. Null before the commit, and always null without a batch.
   */
  readersSince: ReaderMark | null;
  lag: Lag;
  tables: TableProgress[];
  route: ObservedRoute | null;
  /**
   * The undo list: objects that this run made or is about to make, in order of their creation. A
   * rollback removes them in reverse order.
   */
  undo: OwnedObject[];
  handedOver: { kind: string; name: string }[];
  leftovers: { kind: string; name: string }[];
  /** The restarts of connector tasks, for a person to read. */
  restarts: Record<string, number>;
  watched: WatchedState;
  slotIdentified: boolean;
  walAlarm: string | null;
  /** The duration of the last full window that passed, excluding the first read of the topics. */
  fullWindowMs: number | null;
  /** The cost of comparing tables in that full window. Null if it did not compare them exactly. */
  tablesCost: TablesCost | null;
  /** The full window before this attempt's fence, or null. `refused`: why it has no witness. */
  ahead: { number: number; refused: string | null } | null;
  /**
   * The last window that passed and compared all results exactly. Null if there is none, or if
   * something has changed since then.
   */
  recentResult: RecentResult | null;
  /** The hold that the last rehearsal measured. Null before it, and after it was discarded. */
  rehearsedHoldMs: number | null;
  /**
   * The time when consumers were confirmed on the stream side. The soak counts from this time. Null
   * before the confirmation.
   */
  soakFrom: string | null;
  /** True after consumers were not found on the stream side, until they are found there again. */
  isRouteLost: boolean;
  /** True from the moment when `complete` begins to retire the batch. */
  isRetiring: boolean;
  /** The latest end of the soak (ISO) that a person requested with `extendSoak`, or null. */
  soakUntil: string | null;
  shadowPasses: number;
  events: number;
  /** Audit events that are not in the ledger yet. */
  outbox: AuditEvent[];
  /** The newest audit events, for the workflow query. */
  audit: AuditEvent[];
}

export function initialState(runKey: string): State {
  return {
    runKey,
    spec: null,
    planHash: '',
    iteration: 0,
    generation: 0,
    phase: null,
    done: [],
    outcome: null,
    blocked: null,
    selfRetries: 0,
    lost: null,
    paused: false,
    wayBack: null,
    committedAt: null,
    fenceToken: null,
    attempts: 0,
    nextAttemptAt: null,
    epoch: 1,
    facts: null,
    voidedAt: null,
    windows: 0,
    lastWindow: null,
    passesInARow: 0,
    comparedInARow: 0,
    covered: [],
    isCoverageOnTrial: false,
    restart: null,
    evidencePlan: '',
    evidenceEdits: 0,
    pendingEdit: null,
    wantedWindow: null,
    evidenceAt: null,
    matchRatio: null,
    needsApproval: false,
    approvalSince: null,
    approvals: [],
    nonces: [],
    coSignatures: [],
    brokenGlass: null,
    completesEarly: false,
    readersSince: null,
    lag: { bytes: null, records: null, ms: null },
    tables: [],
    route: null,
    undo: [],
    handedOver: [],
    leftovers: [],
    restarts: {},
    watched: nothingWatched(),
    slotIdentified: false,
    walAlarm: null,
    fullWindowMs: null,
    tablesCost: null,
    ahead: null,
    recentResult: null,
    rehearsedHoldMs: null,
    soakFrom: null,
    isRouteLost: false,
    isRetiring: false,
    soakUntil: null,
    shadowPasses: 0,
    events: 0,
    outbox: [],
    audit: [],
  };
}

export const streakOf = ({
  passesInARow,
  covered,
  comparedInARow,
  restart,
}: Pick<State, 'passesInARow' | 'covered' | 'comparedInARow' | 'restart'>): Streak => ({
  passesInARow,
  covered,
  restart,
  compared: passesInARow === 0 ? 0 : comparedInARow,
});

/** Returns the current end of the soak's time (ISO). */
export function soakEnds(
  { soakFrom, committedAt, soakUntil }: Pick<State, 'soakFrom' | 'committedAt' | 'soakUntil'>,
  soak: MigrationSpec['spec']['soak'],
): string {
  const asked = new Date(Date.parse(soakFrom ?? committedAt!) + durationMs(soak.for)).toISOString();
  return soakUntil !== null && soakUntil > asked ? soakUntil : asked;
}
