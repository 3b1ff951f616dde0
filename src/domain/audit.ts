// The audit: what a run did and who decided it, as entries with fields. Readers use the fields; the
// text of an entry is made only where a person reads it.
import { glassNote, type BrokenGlass } from './decisions/cosign.js';
import type { CoSigned } from './decisions/signed-decision.js';
import type { FailureCode } from './failure.js';
import type { Outcome, Phase } from './migration/phase.js';
import type { CutoverStep } from './plan/resolved-plan.js';
import type { VerdictName } from './evidence/verdict.js';

/** One decision of one person, accepted or refused. */
interface Decided {
  readonly by: string;
  readonly authenticated: boolean;
  readonly accepted: boolean;
  readonly reason: string;
  /** The person's own words; null without any. */
  readonly comment: string | null;
}

/** A part of the drain proof: P1 to P5 are the drain's, P6 is the final window. */
export const DRAIN_PARTS = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'] as const;
export interface DrainProof {
  readonly part: (typeof DRAIN_PARTS)[number];
  /** The statement that holds, with its numbers. */
  readonly holds: string;
}

/** The fields of each kind of entry. */
interface Entries {
  opened: { readonly iteration: number; readonly generation: number; readonly planHash: string };
  phase: { readonly phase: Phase };
  waived: { readonly check: string; readonly subject: string; readonly problem: string };
  baseline: {
    readonly lsn: string;
    readonly server: string;
    readonly tables: readonly {
      readonly table: string;
      readonly rows: number;
      readonly fingerprint: string;
    }[];
  };
  slot: { readonly slot: string; readonly confirmedLsn: string; readonly restartLsn: string };
  pipeline: { readonly jobs: readonly string[] };
  'caught-up': { readonly lsn: string; readonly ms: number };
  window: { readonly number: number; readonly verdict: VerdictName; readonly reason: string };
  /** A later attempt measured a window that was in the ledger already. */
  'window-repeated': {
    readonly number: number;
    readonly attempt: number;
    readonly verdict: VerdictName;
    readonly first: VerdictName;
  };
  'full-window': { readonly number: number; readonly reason: string };
  epoch: { readonly epoch: number; readonly reason: string };
  'needs-approval': { readonly epoch: number };
  approve: Decided;
  reject: Decided;
  'complete-early': Decided;
  'break-glass': Decided;
  'glass-broken': BrokenGlass;
  /** A message that changed nothing. */
  ignored: { readonly message: string; readonly by: string | null; readonly reason: string };
  'back-to-validate': { readonly reason: string };
  step: { readonly step: CutoverStep['name']; readonly does: string };
  waiting: { readonly for: string };
  fenced: { readonly lsn: string };
  proof: DrainProof;
  drained: { readonly lsn: string };
  committed: {
    /** Evidence of the commit; null where the commit was found in the lease row. */
    readonly evidenceId: string | null;
    /** Rows of a shared table that the commit wrote and removed; null without one. */
    readonly rows: { readonly written: number; readonly removed: number } | null;
    /** The failure after which the lease row was read; null without one. */
    readonly after: string | null;
  };
  released: { readonly cause: string };
  rehearsal: { readonly by: string };
  rehearsed: { readonly holdMs: number };
  route: { readonly side: 'batch' | 'stream' };
  readers: { readonly left: readonly string[] };
  extended: { readonly by: string; readonly until: string };
  blocked: { readonly code: FailureCode; readonly problem: string };
  unblocked: { readonly code: FailureCode };
  /** `code` is null where nothing was blocked. */
  retry: { readonly code: FailureCode | null };
  paused: object;
  resumed: object;
  guard: { readonly problem: string; readonly startsAgain: boolean };
  restarted: { readonly connector: string; readonly cause: string };
  'gave-up': { readonly connector: string; readonly cause: string };
  /** A trouble of a connector that began or ended. */
  connector: { readonly problem: string; readonly isOver: boolean };
  /** The guard resumed a connector that a window had paused before its worker died. */
  'pause-ended': { readonly connector: string };
  'wal-alarm': { readonly problem: string };
  'slot-lost': { readonly problem: string };
  'wal-budget': { readonly problem: string };
  'way-back': { readonly outcome: Outcome; readonly by: string; readonly reason: string };
  outcome: { readonly outcome: Outcome };
  swept: { readonly by: string; readonly left: readonly string[] };
}

export type AuditKind = keyof Entries;
type EntryOf<K extends AuditKind> = { readonly kind: K } & Entries[K];
export type AuditEntry = { [K in AuditKind]: EntryOf<K> }[AuditKind];

/** The kinds of a person's decision. */
export type DecisionKind = 'approve' | 'reject' | CoSigned;

/** An entry with its time. `id` makes recording idempotent. */
export type AuditEvent = AuditEntry & { readonly id: string; readonly at: string };

/** An event as a person or a script reads it: the fields, and the text that is made of them. */
export type AuditLine = AuditEvent & { readonly detail: string };

/** All events of one kind, in order. */
export function eventsOf<K extends AuditKind>(
  events: readonly AuditEvent[],
  kind: K,
): (EntryOf<K> & Pick<AuditEvent, 'id' | 'at'>)[] {
  return events.filter(
    (e): e is AuditEvent & EntryOf<K> & Pick<AuditEvent, 'id' | 'at'> => e.kind === kind,
  );
}

const MAX_TEXT = 2000;
const MAX_LIST = 200;

/** Texts are cut at 2000 characters and lists at 200 entries: messages from outside cannot bloat a run. */
export function auditEvent(id: string, at: string, entry: AuditEntry): AuditEvent {
  return { id, at, ...(bounded(entry) as AuditEntry) };
}

/** Also replaces what no JSON column of Postgres takes: NUL and halves of surrogate pairs. */
function bounded(value: unknown): unknown {
  if (typeof value === 'string')
    return value.slice(0, MAX_TEXT).replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD');
  if (Array.isArray(value)) return value.slice(0, MAX_LIST).map(bounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bounded(part)]));
}

const decided = ({ by, authenticated, accepted, reason, comment }: Decided): string =>
  `${by}${authenticated ? '' : ' (unauthenticated)'}: ${accepted ? 'accepted' : 'refused'}, ${reason}${comment === null ? '' : ` (${comment})`}`;

const committed = ({ evidenceId, rows, after }: Entries['committed']): string => {
  if (evidenceId === null)
    return after === null
      ? 'the lease row says that an earlier history of this run committed'
      : `found in the lease row after: ${after}`;
  return `${evidenceId}${rows ? `: ${rows.written} rows written, ${rows.removed} taken away and kept` : ''}`;
};

const problem = (e: { readonly problem: string }): string => e.problem;
const restart = (e: Entries['restarted']): string => `${e.connector}: ${e.cause}`;

const TEXTS: { readonly [K in AuditKind]: (entry: Entries[K]) => string } = {
  opened: (e) => `iteration ${e.iteration}, generation ${e.generation}, plan ${e.planHash}`,
  phase: (e) => e.phase,
  waived: (e) => `${e.check}${e.subject ? ` ${e.subject}` : ''}: ${e.problem}`,
  baseline: (e) =>
    `${e.lsn} on ${e.server}: ${e.tables.map((t) => `${t.table} ${t.rows} rows (${t.fingerprint})`).join(', ')}`,
  slot: (e) => `${e.slot} at ${e.confirmedLsn}, restart ${e.restartLsn}`,
  pipeline: (e) => `running: ${e.jobs.join(', ')}`,
  'caught-up': (e) => `barrier at ${e.lsn} in ${e.ms} ms`,
  window: (e) => `${e.number} ${e.verdict}: ${e.reason}`,
  'window-repeated': (e) =>
    `${e.number} was measured again by attempt ${e.attempt}: ${e.verdict}; the first record counts, which says ${e.first}`,
  'full-window': (e) => `${e.number} read every row: ${e.reason}`,
  epoch: (e) => `${e.epoch}: ${e.reason}`,
  'needs-approval': (e) => `epoch ${e.epoch}`,
  approve: decided,
  reject: decided,
  'complete-early': decided,
  'break-glass': decided,
  'glass-broken': glassNote,
  ignored: (e) => `${e.message}${e.by === null ? '' : ` by ${e.by}`}: ${e.reason}`,
  'back-to-validate': (e) => e.reason,
  step: (e) => `${e.step}: ${e.does}`,
  waiting: (e) => e.for,
  fenced: (e) => `marker at ${e.lsn}`,
  proof: (e) => `${e.part} ${e.holds}`,
  drained: (e) => e.lsn,
  committed,
  released: (e) => e.cause,
  rehearsal: (e) => `by ${e.by}`,
  rehearsed: (e) => `held for ${e.holdMs} ms`,
  route: (e) => `consumers observed on the ${e.side} side`,
  readers: (e) =>
    e.left.length === 0
      ? 'no reader of the old output is left'
      : `completed by retry, although these still read it: ${e.left.join(', ')}`,
  extended: (e) => `by ${e.by}: the soak lasts at least until ${e.until}`,
  blocked: (e) => `${e.code}: ${e.problem}`,
  unblocked: (e) => e.code,
  retry: (e) => e.code ?? 'nothing is blocked',
  paused: () => '',
  resumed: () => '',
  guard: (e) => `${e.startsAgain ? 'will be started again: ' : ''}${e.problem}`,
  restarted: restart,
  'gave-up': restart,
  connector: (e) => `${e.isOver ? 'no longer: ' : ''}${e.problem}`,
  'pause-ended': (e) => `${e.connector} was paused by a window that died`,
  'wal-alarm': problem,
  'slot-lost': problem,
  'wal-budget': problem,
  'way-back': (e) => `${e.outcome} by ${e.by}: ${e.reason}`,
  outcome: (e) => e.outcome,
  swept: (e) => `by ${e.by}; left: ${e.left.join(', ') || 'nothing'}`,
};

/** The text of an entry, as a person reads it. A kind that this version does not know shows as JSON. */
export function auditText(entry: AuditEntry): string {
  const text = (TEXTS as Record<string, ((e: AuditEntry) => string) | undefined>)[entry.kind];
  return (text ? text(entry) : JSON.stringify(entry)).slice(0, MAX_TEXT);
}

export const auditLine = (event: AuditEvent): AuditLine => ({ ...event, detail: auditText(event) });
