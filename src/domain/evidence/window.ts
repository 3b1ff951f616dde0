// Defines what one validation window reports: a row for each subject, its counts and its
// differences.
import type { Mode } from './subjects.js';
import type { VerdictName } from './verdict.js';

/**
 * One row for each window and subject, as `sluice windows` prints it (contract). Null means not
 * measured.
 */
export interface WindowRow {
  readonly number: number;
  readonly subject: string;
  readonly verdict: VerdictName;
  readonly reason: string;
  readonly mode: Mode;
  readonly at: string;
  readonly durationMs: number;
  readonly position: string | null;
  readonly compared: number | null;
  readonly matched: number | null;
  readonly missing: number | null;
  readonly extraneous: number | null;
  readonly mismatched: number | null;
  readonly unstable: number | null;
  readonly unknown: number | null;
  /** The rows that the window read. `provenEarlier` counts the other rows of `matched`. */
  readonly rowsRead: number | null;
  /**
   * The keys of `matched` that an earlier window proved equal and that neither side has changed
   * since.
   */
  readonly provenEarlier: number | null;
}

export type DifferenceClass =
  | 'missing'
  | 'extraneous'
  | 'mismatched'
  | 'stale'
  | 'late'
  | 'duplicate'
  | 'type'
  | 'undecodable'
  | 'unstable'
  | 'not-capturable'
  | 'batch-was-wrong';

export interface Difference {
  readonly class: DifferenceClass;
  readonly key: Readonly<Record<string, string | null>>;
  /** Null if the whole row is the difference. */
  readonly column: string | null;
  readonly batch: string | null;
  readonly stream: string | null;
}
