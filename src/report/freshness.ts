// Computes two things from the measurements of windows: how old the results of stream and batch
// are, and what windows cost.
import { durationMs } from '../domain/values/duration.js';
import type { WindowSample } from '../domain/evidence/freshness-and-cost.js';
import type { MigrationSpec } from '../domain/migration/spec.js';

const DAY_MS = 86_400_000;

export interface Freshness {
  /** The time that a marker takes through the whole path. Null if no window measured it. */
  readonly stream: {
    readonly medianMs: number;
    readonly worstMs: number;
    readonly windows: number;
  } | null;
  readonly batch: {
    readonly averageMs: number;
    readonly worstMs: number;
    readonly runs: number;
  } | null;
  /** The spec's `catchUp.within`. */
  readonly thresholdMs: number;
  /**
   * The cost of the windows of one day. `retainedBytes` is the WAL that the slot retained at most.
   * A window begins after each interval of the spec (`validation.every`), or after the end of the
   * window before it, if windows usually take longer. Null if no window was measured.
   */
  readonly cost: {
    readonly windowsPerDay: number;
    readonly sourceMsPerDay: number;
    readonly rowsPerDay: number;
    readonly retainedBytes: number | null;
  } | null;
}

export function freshnessOf({ spec }: MigrationSpec, samples: readonly WindowSample[]): Freshness {
  const ways = samples.flatMap((s) => (s.lag.ms === null ? [] : [s.lag.ms])).sort((a, b) => a - b);
  const age = samples.findLast((s) => s.batchAge !== null)?.batchAge ?? null;
  const windowsPerDay =
    DAY_MS /
    Math.max(durationMs(spec.validation.every), median(samples.map((s) => s.sourceMs)) ?? 1);
  const retained = samples.flatMap((s) => (s.lag.bytes === null ? [] : [s.lag.bytes]));
  return {
    stream:
      ways.length === 0
        ? null
        : { medianMs: median(ways)!, worstMs: ways.at(-1)!, windows: ways.length },
    batch: age && { averageMs: age.averageMs, worstMs: age.worstMs, runs: age.runs },
    thresholdMs: durationMs(spec.catchUp.within),
    cost:
      samples.length === 0
        ? null
        : {
            windowsPerDay: Math.round(windowsPerDay),
            sourceMsPerDay: Math.round(windowsPerDay * median(samples.map((s) => s.sourceMs))!),
            rowsPerDay: Math.round(windowsPerDay * median(samples.map((s) => s.rowsRead))!),
            retainedBytes: retained.length === 0 ? null : Math.max(...retained),
          },
  };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
