// The document of one comparison without a migration, as `sluice compare -o json` prints it.
import type { VerdictName } from './verdict.js';
import type { Difference, WindowRow } from './window.js';

/** The barrier of such a comparison. Output, evidence and report name it. */
export interface ExistingBarrier {
  /** `slot`: a slot's confirmed position. `none`: rows may be in flight. */
  readonly kind: 'slot' | 'none';
  readonly slot: string | null;
  /** A sentence that says what the barrier proves, and what it does not. */
  readonly proves: string;
}

export type SubjectDifference = Difference & { readonly subject: string };

export interface ComparisonDocument {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Comparison';
  readonly name: string;
  readonly verdict: VerdictName;
  readonly reason: string;
  readonly tookMs: number;
  readonly barrier: ExistingBarrier;
  /** The columns and tolerances by which the spec weakens the comparison, as text. */
  readonly leftOut: readonly string[];
  /** One row for each table, as a window has it. */
  readonly windows: readonly WindowRow[];
  readonly differences: readonly SubjectDifference[];
  readonly evidence: { readonly digest: string; readonly document: object };
}
