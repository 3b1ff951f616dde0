// Describes a corruption: what it does, what a window must report about it, and how it is undone.
import type { FailureCode } from '../../../src/domain/failure.js';
import type { DifferenceClass } from '../../../src/domain/evidence/window.js';
import type { Lab } from './lab.js';

export interface CountsWanted {
  readonly missing?: number;
  readonly extraneous?: number;
  readonly mismatched?: number;
  readonly unknown?: number;
}

export type Wanted =
  /**
   * The next window counts exactly these differences. With `shown`, `sluice diff` lists a
   * difference of this class. With `shown` and `says`, the stream's side of this difference matches
   * `says`.
   */
  | { readonly counts: CountsWanted; readonly shown?: DifferenceClass; readonly says?: RegExp }
  /** The migration is blocked with a detail that matches `says`, and no later window passes. */
  | { readonly blocked: FailureCode; readonly says: RegExp }
  /** The next window cannot compare the table. Its reason matches `errored`. */
  | { readonly errored: RegExp };

export interface Corrupted {
  readonly wanted: Wanted;
  /**
   * Undoes the corruption. If no record can repair the topic, a new generation begins, which has a
   * new topic.
   */
  readonly undo: (() => Promise<unknown>) | 'new generation';
}

export interface Kind {
  readonly what: string;
  /**
   * Makes the corruption. If it concerns single rows, it begins at the row `id`. No clean change
   * writes this row or the two rows after it.
   */
  readonly corrupt: (lab: Lab, id: number, next: () => number) => Promise<Corrupted>;
}

export const kindsOf = (all: Readonly<Record<string, Kind['corrupt']>>): Kind[] =>
  Object.entries(all).map(([what, corrupt]) => ({ what, corrupt }));
