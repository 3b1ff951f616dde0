// Defines a rule: one question about a batch process, with its answer, its weight and its reason.
// Unknown is a separate answer, and never zero.
import type { ProcessFacts } from '../facts.js';

export type Part = 'value' | 'feasibility';

export type Answer =
  | {
      readonly state: 'fired';
      /** The gain (value) or the loss (feasibility), from 0 to 1. */
      readonly grade: number;
      readonly evidence: string;
      /** This answer alone decides: do not migrate. */
      readonly decides?: boolean;
      /** The work that must be done before a migration. */
      readonly work?: string;
    }
  | { readonly state: 'not-fired'; readonly evidence: string }
  | { readonly state: 'could-not-tell'; readonly why: string };

export interface Rule {
  /** The name is stable, because people refer to it. */
  readonly id: string;
  readonly part: Part;
  /** The weight in the score of its part (value), and in the confidence. */
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
