// Builds a report's content from a migration's records in the ledger. Other files render it.
import {
  auditLine,
  auditText,
  eventsOf,
  type AuditEvent,
  type AuditKind,
  type AuditLine,
} from '../domain/audit.js';
import type { ColumnTally, EvidenceLink, Status } from '../domain/evidence/ledger-rows.js';
import type { BatchAge, WindowSample } from '../domain/evidence/freshness-and-cost.js';
import { resolve } from '../domain/plan/resolve.js';
import type { CutoverStep, ResolvedPlan } from '../domain/plan/resolved-plan.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { routeOf } from '../domain/routes/index.js';
import type { RouteWords } from '../domain/routes/route.js';
import type { VerdictName } from '../domain/evidence/verdict.js';
import type { Difference, WindowRow } from '../domain/evidence/window.js';
import { freshnessOf, type Freshness } from './freshness.js';
import { masked } from './mask.js';
import { soakOf, blockedTimesOf, type Soak, type BlockedTime } from './blocked-times.js';

/** Everything that makes the comparison or the cut-over less strict than it is by default. */
export interface LeftOut {
  /** Names of columns that are not compared. */
  readonly ignored: readonly string[];
  readonly tolerances: readonly string[];
  /** Sentences about guarantees that the spec, or break-glass, weakens. */
  readonly weakened: readonly string[];
  readonly waivers: readonly {
    readonly what: string;
    readonly reason: string;
    readonly until: string;
  }[];
}

/** The part of the hold from the fence to the commit. The batch was paused before the fence. */
export interface Hold {
  /** Each step's end (`at`), and how long it took since the end of the step before it (`ms`). */
  readonly steps: readonly { readonly what: string; readonly at: string; readonly ms: number }[];
  readonly totalMs: number;
  /** Sentences that say what the drain and the final window have proven. */
  readonly proofs: readonly string[];
}

export interface Report {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Report';
  readonly name: string;
  /** The version of sluice that wrote this report. */
  readonly writtenBy: string;
  readonly planHash: string;
  readonly startedAt: string;
  readonly status: Status;
  readonly phases: readonly {
    readonly phase: string;
    readonly at: string;
    readonly ms: number | null;
  }[];
  readonly verdicts: Readonly<Record<VerdictName, number>>;
  readonly windows: readonly WindowRow[];
  /** Digest and chain link of each window. The documents themselves stay in the ledger. */
  readonly evidence: readonly Pick<EvidenceLink, 'number' | 'digest' | 'chain'>[];
  /** The number of differences that the ledger stores, by subject, class and column. */
  readonly differing: readonly ColumnTally[];
  /** A few differences of the newest window that found any. Values are masked unless requested. */
  readonly samples: readonly Difference[];
  readonly leftOut: LeftOut;
  /**
   * The plan's steps. `at` is the time at which the last attempt began the step. Null if that
   * attempt did not begin it.
   */
  readonly cutover: readonly (CutoverStep & { readonly at: string | null })[];
  /** Null if the audit has no commit, or no fence before the commit. */
  readonly hold: Hold | null;
  /** Times when the run was blocked. */
  readonly blockedTimes: readonly BlockedTime[];
  /** Null before consumers were confirmed on the stream side. */
  readonly soak: Soak | null;
  readonly route: RouteWords;
  /** False if the migration replaces no batch, but only copies tables. */
  readonly hasBatch: boolean;
  readonly freshness: Freshness;
  readonly lags: readonly Pick<WindowSample, 'number' | 'at' | 'lag'>[];
  readonly batchAge: BatchAge | null;
  readonly events: readonly AuditLine[];
}

/** The records of one migration in the ledger that a report uses. */
export interface ReportSource {
  readonly status: Status;
  readonly spec: MigrationSpec;
  readonly planHash: string;
  readonly startedAt: string;
  readonly windows: readonly WindowRow[];
  readonly evidence: readonly EvidenceLink[];
  readonly samples: readonly WindowSample[];
  readonly differing: readonly ColumnTally[];
  readonly differences: readonly Difference[];
  readonly events: readonly AuditEvent[];
}

export interface ReportOptions {
  readonly version: string;
  /** Shows values of differing rows instead of masking them. */
  readonly showValues: boolean;
}

export function buildReport(source: ReportSource, { version, showValues }: ReportOptions): Report {
  const {
    status,
    spec,
    planHash,
    startedAt,
    windows,
    evidence,
    samples,
    differing,
    differences,
    events,
  } = source;
  const plan = resolve({ spec, generation: status.generation });
  const verdicts: Record<VerdictName, number> = {
    passed: 0,
    failed: 0,
    inconclusive: 0,
    errored: 0,
  };
  for (const window of windows) verdicts[window.verdict] += 1;
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Report',
    name: status.name,
    writtenBy: version,
    planHash,
    startedAt,
    status,
    phases: phasesOf(events, status.outcome !== null),
    verdicts,
    windows,
    evidence: evidence.map(({ number, digest, chain }) => ({ number, digest, chain })),
    differing,
    samples: showValues ? differences : differences.map(masked),
    leftOut: leftOutOf(plan, events),
    cutover: cutoverOf(plan, events),
    hold: holdOf(events),
    blockedTimes: blockedTimesOf(events),
    soak: soakOf(spec, events),
    route: routeOf(spec).words,
    hasBatch: spec.spec.batch !== undefined,
    freshness: freshnessOf(spec, samples),
    lags: samples.map(({ number, at, lag }) => ({ number, at, lag })),
    batchAge: samples.findLast((s) => s.batchAge !== null)?.batchAge ?? null,
    events: events.map(auditLine),
  };
}

function phasesOf(events: readonly AuditEvent[], hasEnded: boolean): Report['phases'] {
  const entered = eventsOf(events, 'phase');
  const end = events.at(-1);
  return entered.map((event, at) => {
    const next = entered[at + 1] ?? (hasEnded ? end : undefined);
    return {
      phase: event.phase,
      at: event.at,
      ms: next ? Date.parse(next.at) - Date.parse(event.at) : null,
    };
  });
}

function leftOutOf({ spec, notes }: ResolvedPlan, events: readonly AuditEvent[]): LeftOut {
  const { compare, waivers } = spec.validation;
  return {
    ignored: compare.ignore,
    weakened: [...notes, ...eventsOf(events, 'glass-broken').map(auditText)],
    tolerances: Object.entries(compare.tolerances).map(([column, { abs }]) => `${column} ± ${abs}`),
    waivers: waivers.map((w) => ({
      what: w.check ?? w.class ?? '',
      reason: w.reason,
      until: w.until,
    })),
  };
}

function cutoverOf({ steps }: ResolvedPlan, events: readonly AuditEvent[]): Report['cutover'] {
  const begun = (name: string) => events.findLastIndex((e) => e.kind === 'step' && e.step === name);
  // an attempt begins with the recheck, so events before the last recheck are of earlier attempts
  const attempt = begun('recheck');
  return steps.map((step) => {
    const at = begun(step.name);
    return { ...step, at: attempt >= 0 && at >= attempt ? events[at]!.at : null };
  });
}

/** The audit entries that mark the end of a step of the hold. */
const HOLD_STEPS: Partial<Record<AuditKind, string>> = {
  drained: 'drained to the marker',
  window: 'final window',
  committed: 'commit',
};

/** Finds the fence that led to the commit, and the steps between fence and commit. */
function holdOf(events: readonly AuditEvent[]): Hold | null {
  const committed = events.findIndex((e) => e.kind === 'committed');
  const fenced = events.slice(0, committed).findLastIndex((e) => e.kind === 'fenced');
  if (committed < 0 || fenced < 0) return null;
  const inside = events
    .slice(fenced, committed + 1)
    .filter((e) => e.kind === 'fenced' || e.kind in HOLD_STEPS);
  const steps = inside.slice(1).map((event, at) => ({
    what: HOLD_STEPS[event.kind] ?? event.kind,
    at: event.at,
    ms: Date.parse(event.at) - Date.parse(inside[at]!.at),
  }));
  const proofs = eventsOf(events.slice(fenced, committed), 'proof').map(auditText);
  return {
    steps,
    totalMs: Date.parse(events[committed]!.at) - Date.parse(events[fenced]!.at),
    proofs,
  };
}
