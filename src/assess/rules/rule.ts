// What a rule is: one question about a batch process, with its answer, its weight and its reason. Unknown is an answer of its own, never zero.
import type { ProcessFacts } from '../facts.js';

export type Part = 'value' | 'feasibility';

export type Answer =
  | {
      readonly state: 'fired';
      /** value: how much it speaks for migrating, 0 to 1. feasibility: how much of it is lost, 0 to 1. */
      readonly grade: number;
      readonly evidence: string;
      /** This alone decides: do not migrate. */
      readonly decides?: boolean;
      /** What must be done before a migration. */
      readonly work?: string;
    }
  | { readonly state: 'not-fired'; readonly evidence: string }
  | { readonly state: 'could-not-tell'; readonly why: string };

export interface Rule {
  /** Stable: people refer to it. */
  readonly id: string;
  readonly part: Part;
  /** Share in its part's score (value), and of what the confidence is the known share of. */
  readonly weight: number;
  readonly rationale: string;
  readonly ask: (facts: ProcessFacts) => Answer;
}

export const fired = (
  grade: number,
  evidence: string,
  more: { decides?: boolean; work?: string } = {},
): Answer => ({
  state: 'fired',
  grade,
  evidence,
  ...more,
});
export const notFired = (evidence: string): Answer => ({ state: 'not-fired', evidence });
export const couldNotTell = (why: string): Answer => ({ state: 'could-not-tell', why });
