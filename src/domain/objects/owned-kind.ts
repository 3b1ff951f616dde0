// The pure half of a kind of object that Sluice makes. The effects of each kind are in
// src/activities/objects, under the same file name.
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';

/** `keep`: the object is part of the running pipeline, and is handed over. */
export type AtComplete = 'keep' | 'remove';

export interface KindPlan {
  /** The name of this kind in messages. */
  readonly label: string;
  /** The activity that removes one. */
  readonly undo: `remove${string}`;
  /** The objects of this kind that a generation makes, in the order in which it makes them. */
  readonly planned: (plan: ResolvedPlan) => readonly OwnedObject[];
  readonly atComplete: (plan: ResolvedPlan, object: OwnedObject) => AtComplete;
}
