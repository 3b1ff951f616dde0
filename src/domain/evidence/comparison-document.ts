// The document of one comparison without a migration, as `sluice compare -o json` prints it.
import type { VerdictName } from './verdict.js';
import type { Difference, WindowRow } from './window.js';

/**
 * The barrier of a comparison without a migration: the proof that the topics have every change up
 * to a position. The output, the evidence and the report name the barrier.
 */
export interface ExistingBarrier {
  /**
   * `slot`: everything up to a slot's confirmed position is in the topics. `none`: nothing proves
   * that, so the newest rows may not be in the topics yet.
   */
  readonly kind: 'slot' | 'none';
  readonly slot: string | null;
  /** A sentence that says what the barrier proves, and what it does not prove. */
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
  /** Texts that name the columns that are not compared, and the tolerances. */
  readonly leftOut: readonly string[];
  /** One row for each table, in the form of the rows of a window. */
  readonly windows: readonly WindowRow[];
  readonly differences: readonly SubjectDifference[];
  readonly evidence: { readonly digest: string; readonly document: object };
}
