// Everything a run knows, as plain JSON: it travels through continue-as-new. Changed only by Run and the phases.
import type { ReaderMark } from '../../activities/cutover/consumers.js';
import type { BrokenGlass, CoSignature } from '../../domain/decisions/cosign.js';
import { durationMs } from '../../domain/values/duration.js';
import type { Blocked } from '../../domain/failure.js';
import type { Streak } from '../../domain/decisions/gate.js';
import type {
  Approval,
  AuditEvent,
  Lag,
  OwnedObject,
  Route,
  TableProgress,
} from '../../domain/evidence/ledger-rows.js';
import type { Outcome, Phase } from '../../domain/migration/phase.js';
import type { CoverageDay, MigrationSpec } from '../../domain/migration/spec.js';
import type { VerdictName } from '../../domain/evidence/verdict.js';

/** Why and how the migration goes back. */
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
  /** Phases behind us in this generation; `enter` skips them after continue-as-new. */
  done: Phase[];
  outcome: Outcome | null;
  blocked: Blocked | null;
  paused: boolean;
  wayBack: WayBack | null;
  committedAt: string | null;
  /** The fence this run holds or held last; released by its token. */
  fenceToken: string | null;
  /** Attempts at the cut-over so far; absent in a state carried over from an earlier version. */
  attempts?: number;
  /** An attempt that was refused is not repeated before (ISO), unless a person approves anew; absent while none was. */
  nextAttemptAt?: string;
  epoch: number;
  /** Digest of the facts that the evidence rests on; the ledger holds them. Null = none were read yet. */
  facts: string | null;
  voidedAt: string | null;
  windows: number;
  lastWindow: LastWindow | null;
  passesInARow: number;
  /** Keys compared by the windows of the streak; absent in a state carried over from an earlier version. */
  comparedInARow?: number;
  covered: CoverageDay[];
  evidenceAt: string | null;
  matchRatio: number | null;
  needsApproval: boolean;
  approvalSince: string | null;
  approvals: Approval[];
  /** Of tokens that were taken: each counts once. Absent in a state carried over from an earlier version. */
  nonces?: string[];
  /** Absent before the first, and in a state carried over from an earlier version: so are the two below. */
  coSignatures?: CoSignature[];
  brokenGlass?: BrokenGlass;
  /** Two people asked for it: the soak ends after a passed window. */
  completesEarly?: boolean;
  /** Since the commit, or since they were named: readers of the old output. Absent in a run that began before they were counted. */
  readersSince?: ReaderMark;
  lag: Lag;
  tables: TableProgress[];
  route: Route | null;
  /** What we made, in order: unwound from the end. Pushed before it is made. */
  undo: OwnedObject[];
  handedOver: { kind: string; name: string }[];
  leftovers: { kind: string; name: string }[];
  restarts: Record<string, number>;
  slotIdentified: boolean;
  walAlarm: string | null;
  /** What the last full window took, less what a cut-over does not repeat (the first read of the topics); null = none passed yet. */
  fullWindowMs: number | null;
  /** What the last rehearsal held; absent before one. */
  rehearsedHoldMs?: number;
  /** When consumers were confirmed on the stream side: the soak counts from here. Absent before, and in a state of an earlier version. */
  soakFrom?: string;
  /** Asked for by `extendSoak`: the soak lasts at least until then. */
  soakUntil: string | null;
  shadowPasses: number;
  events: number;
  /** Audit events not yet in the ledger, and the newest ones for the query. */
  outbox: AuditEvent[];
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
    paused: false,
    wayBack: null,
    committedAt: null,
    fenceToken: null,
    epoch: 1,
    facts: null,
    voidedAt: null,
    windows: 0,
    lastWindow: null,
    passesInARow: 0,
    covered: [],
    evidenceAt: null,
    matchRatio: null,
    needsApproval: false,
    approvalSince: null,
    approvals: [],
    lag: { bytes: null, records: null, ms: null },
    tables: [],
    route: null,
    undo: [],
    handedOver: [],
    leftovers: [],
    restarts: {},
    slotIdentified: false,
    walAlarm: null,
    fullWindowMs: null,
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
}: Pick<State, 'passesInARow' | 'covered' | 'comparedInARow'>): Streak => ({
  passesInARow,
  covered,
  compared: passesInARow === 0 ? 0 : (comparedInARow ?? 0),
});

/** ISO: when the soak's time is over, as it stands now. */
export function soakEnds(
  { soakFrom, committedAt, soakUntil }: Pick<State, 'soakFrom' | 'committedAt' | 'soakUntil'>,
  { spec }: MigrationSpec,
): string {
  const asked = new Date(
    Date.parse(soakFrom ?? committedAt!) + durationMs(spec.soak.for),
  ).toISOString();
  return soakUntil !== null && soakUntil > asked ? soakUntil : asked;
}
