// The audit lists the events of a run and people's decisions. Code reads only the fields of an
// entry. The text of an entry is formatted only to show it to a person.
import { glassNote, type BrokenGlass } from './decisions/cosign.js';
import type { FailureCode } from './failure.js';
import type { Outcome, Phase } from './migration/phase.js';
import type { CutoverStep } from './plan/resolved-plan.js';
import type { VerdictName } from './evidence/verdict.js';

/** One decision of one person. */
interface Decided {
  readonly by: string;
  readonly authenticated: boolean;
  readonly accepted: boolean;
  readonly reason: string;
  /** The person's own words, or null if there are none. */
  readonly comment: string | null;
}

/**
 * The names of the statements that together prove a drain. docs/explanation/cutover.md explains
 * each of them. The final window proves P6 (with `cutover.finalResult`, only for the tables).
 */
export const DRAIN_PARTS = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'] as const;
export interface DrainProof {
  readonly part: (typeof DRAIN_PARTS)[number];
  /** The proven statement, with its numbers. */
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
      readonly rows: number | null;
      readonly isEstimate?: boolean;
      readonly fingerprint: string;
    }[];
  };
  slot: { readonly slot: string; readonly confirmedLsn: string; readonly restartLsn: string };
  /** The number of changes that Sluice repeated, because the load wrote an older row after them. */
  'load-repeated': { readonly rows: number };
  adopted: { readonly objects: readonly string[] };
  'left-untouched': { readonly objects: readonly string[] };
  pipeline: { readonly jobs: readonly string[] };
  'caught-up': { readonly lsn: string; readonly ms: number };
  window: { readonly number: number; readonly verdict: VerdictName; readonly reason: string };
  /** A later attempt of the activity measured a window that the ledger already contained. */
  'window-repeated': {
    readonly number: number;
    readonly attempt: number;
    readonly verdict: VerdictName;
    readonly first: VerdictName;
  };
  'full-window': { readonly number: number; readonly reason: string };
  /** A connector, task or group member restarted with the same version and configuration. */
  'harmless-restart': { readonly what: string };
  epoch: { readonly epoch: number; readonly reason: string };
  'needs-approval': { readonly epoch: number };
  approve: Decided;
  /** A person changed the spec of the running migration. */
  edit: Decided;
  'window-asked': { readonly by: string; readonly isFull: boolean };
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
    /**
     * The id of the evidence that the commit used. Null if only the lease row showed that the
     * commit had happened.
     */
    readonly evidenceId: string | null;
    /** The rows that the commit wrote and removed in a shared table. Null for other routes. */
    readonly rows: { readonly written: number; readonly removed: number } | null;
    /** The failure after which the run read the lease row. Null if there was no failure. */
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
  /** `code` is null if the run was not blocked. */
  retry: { readonly code: FailureCode | null };
  paused: object;
  resumed: object;
  guard: { readonly problem: string; readonly startsAgain: boolean };
  restarted: { readonly connector: string; readonly cause: string };
  'gave-up': { readonly connector: string; readonly cause: string };
  /** A connector's problem began or ended. */
  connector: { readonly problem: string; readonly isOver: boolean };
  /** The guard resumed a connector that a window had paused before the window's worker died. */
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

/** An entry with its time. `id` makes recording idempotent. */
export type AuditEvent = AuditEntry & { readonly id: string; readonly at: string };

/** An event for a person or a script. `detail` is the text that is formatted from its fields. */
export type AuditLine = AuditEvent & { readonly detail: string };

/** Returns all events of one kind, in order. */
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

/**
 * Returns the event of an entry. Texts are cut at 2000 characters and lists at 200 entries, so that
 * messages from outside cannot bloat a run.
 */
export function auditEvent(id: string, at: string, entry: AuditEntry): AuditEvent {
  return { id, at, ...(bounded(entry) as AuditEntry) };
}

/**
 * Returns the value with long texts and lists cut. Also replaces characters that a JSON column of
 * Postgres refuses: NUL, and unpaired surrogates.
 */
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
      ? 'the run was reset, but the lease row says that it had committed before'
      : `found in the lease row after: ${after}`;
  return `${evidenceId}${rows ? `: ${rows.written} rows written, ${rows.removed} removed (their copies are kept until complete)` : ''}`;
};

const baselineRows = ({ rows, isEstimate }: Entries['baseline']['tables'][number]): string =>
  rows === null ? 'an unknown number of' : `${isEstimate ? 'about ' : ''}${rows}`;

const problem = (e: { readonly problem: string }): string => e.problem;
const restart = (e: Entries['restarted']): string => `${e.connector}: ${e.cause}`;

const TEXTS: { readonly [K in AuditKind]: (entry: Entries[K]) => string } = {
  opened: (e) => `iteration ${e.iteration}, generation ${e.generation}, plan ${e.planHash}`,
  phase: (e) => e.phase,
  waived: (e) => `${e.check}${e.subject ? ` ${e.subject}` : ''}: ${e.problem}`,
  baseline: (e) =>
    `${e.lsn} on ${e.server}: ${e.tables.map((t) => `${t.table} ${baselineRows(t)} rows (${t.fingerprint})`).join(', ')}`,
  slot: (e) => `${e.slot} at ${e.confirmedLsn}, restart ${e.restartLsn}`,
  'load-repeated': (e) =>
    `the initial load had overwritten changes of ${e.rows} rows; these changes were written again`,
  adopted: (e) => e.objects.join('; '),
  'left-untouched': (e) => e.objects.join(', '),
  pipeline: (e) => `running: ${e.jobs.join(', ')}`,
  'caught-up': (e) => `barrier at ${e.lsn} in ${e.ms} ms`,
  window: (e) => `${e.number} ${e.verdict}: ${e.reason}`,
  'window-repeated': (e) =>
    `${e.number} was measured again by attempt ${e.attempt}, which found ${e.verdict}; the first record says ${e.first}, and that record counts`,
  'full-window': (e) => `${e.number} read every row: ${e.reason}`,
  'harmless-restart': (e) =>
    `${e.what}; version and configuration are the same, so the restart costs one full window`,
  epoch: (e) => `${e.epoch}: ${e.reason}`,
  'needs-approval': (e) => `epoch ${e.epoch}`,
  approve: decided,
  edit: decided,
  'window-asked': (e) => `by ${e.by}${e.isFull ? ', a full one' : ''}`,
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
  route: (e) => `consumers read the ${e.side} side`,
  readers: (e) =>
    e.left.length === 0
      ? "no reader of the batch's table is left"
      : `completed by retry, although these still read the batch's table: ${e.left.join(', ')}`,
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
  'pause-ended': (e) =>
    `${e.connector} was paused by a window whose worker died, so the guard resumed it`,
  'wal-alarm': problem,
  'slot-lost': problem,
  'wal-budget': problem,
  'way-back': (e) => `${e.outcome} by ${e.by}: ${e.reason}`,
  outcome: (e) => e.outcome,
  swept: (e) => `by ${e.by}; left: ${e.left.join(', ') || 'nothing'}`,
};

/**
 * Returns an entry's text for a person. If this version does not know the kind, the text is JSON.
 */
export function auditText(entry: AuditEntry): string {
  const text = (TEXTS as Record<string, ((e: AuditEntry) => string) | undefined>)[entry.kind];
  return (text ? text(entry) : JSON.stringify(entry)).slice(0, MAX_TEXT);
}

export const auditLine = (event: AuditEvent): AuditLine => ({ ...event, detail: auditText(event) });
