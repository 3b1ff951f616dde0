// Defines a rule: one question about a batch process, and the reason to ask it. A question without
// an answer counts as unknown and not as zero.
import type { Fact, ProcessFacts } from '../facts.js';

export type Part = 'value' | 'feasibility';

export type Answer =
  | {
      readonly state: 'fired';
      /**
       * A number from 0 to 1. The part `value` of the score is the weighted mean of the grades of
       * its rules. The part `feasibility` is the product of `1 - grade` of its rules.
       */
      readonly grade: number;
      readonly evidence: string;
      /** True if this answer alone means `do-not-migrate`. */
      readonly decides?: boolean;
      /** The work that must be done before a migration. */
      readonly work?: string;
    }
  | { readonly state: 'not-fired'; readonly evidence: string }
  | { readonly state: 'could-not-tell'; readonly why: string };

export interface Rule {
  /** The name. It never changes, because people refer to it. */
  readonly id: string;
  readonly rationale: string;
  readonly ask: (facts: ProcessFacts) => Answer;
}

/** A rule with its place in the score. */
export interface WeighedRule extends Rule {
  readonly part: Part;
  /**
   * The weight of the rule in the confidence and in the part `value`. The rules that decide
   * `do-not-migrate` are sorted by it.
   */
  readonly weight: number;
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

/**
 * Asks about one fact. If the fact is unknown, the answer is `could-not-tell` with the reason.
 */
export const ifKnown =
  <K extends 'sql' | 'tables'>(name: K, ask: (value: ValueOf<ProcessFacts[K]>) => Answer) =>
  (facts: ProcessFacts): Answer => {
    const fact = facts[name] as Fact<ValueOf<ProcessFacts[K]>>;
    return fact.known ? ask(fact.value) : couldNotTell(fact.why);
  };

type ValueOf<F> =
  Extract<F, { readonly known: true }> extends { readonly value: infer T } ? T : never;
