// Describes a kind of owned object. Each kind has a file in this folder, such as slot.ts. The code
// that creates and removes its objects is in the file with the same name in src/activities/objects.
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';

/** `keep`: the object stays in use after the migration, so it is handed over. */
export type AtComplete = 'keep' | 'remove';

export interface KindPlan {
  /** The name of this kind in messages. */
  readonly label: string;
  /** The activity that removes an object of this kind. */
  readonly undo: `remove${string}`;
  /** Lists the objects of this kind that a generation creates, in the order of their creation. */
  readonly planned: (plan: ResolvedPlan) => readonly OwnedObject[];
  readonly atComplete: (plan: ResolvedPlan, object: OwnedObject) => AtComplete;
}
