// What a corruption is: what it does, what a window must say of it, and how it is undone.
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
  /** The next window has exactly these differences. One that it shows is of the class, and says so. */
  | { readonly counts: CountsWanted; readonly shown?: DifferenceClass; readonly says?: RegExp }
  /** The migration is blocked, and no window passes. */
  | { readonly blocked: FailureCode; readonly says: RegExp }
  /** The next window could not compare. */
  | { readonly errored: RegExp };

export interface Corrupted {
  readonly wanted: Wanted;
  /** Where no record heals the topic, a new generation reads another one. */
  readonly undo: (() => Promise<unknown>) | 'new generation';
}

export interface Kind {
  readonly what: string;
  /** `id` = of a row that the application leaves alone; so is the row behind it. */
  readonly corrupt: (lab: Lab, id: number, next: () => number) => Promise<Corrupted>;
}

export const kindsOf = (all: Readonly<Record<string, Kind['corrupt']>>): Kind[] =>
  Object.entries(all).map(([what, corrupt]) => ({ what, corrupt }));
