// Lists every kind of object that Sluice creates. A missing kind is a compile error.
import type { ObjectKind, OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import { connectorKind } from './connector.js';
import { groupKind } from './group.js';
import { jobKind } from './job.js';
import { leaseKind } from './lease.js';
import type { AtComplete, KindPlan } from './owned-kind.js';
import { publicationKind } from './publication.js';
import { sinkTableKind } from './sink-table.js';
import { slotKind } from './slot.js';
import { topicKind } from './topic.js';
import { triggerKind } from './trigger.js';

/** All kinds, in the order in which `plan` lists them. */
export const KINDS = {
  lease: leaseKind,
  publication: publicationKind,
  slot: slotKind,
  topic: topicKind,
  'sink-table': sinkTableKind,
  group: groupKind,
  connector: connectorKind,
  job: jobKind,
  trigger: triggerKind,
} as const satisfies Record<ObjectKind, KindPlan>;

/** The names of the activities that remove objects. */
export type Removal = (typeof KINDS)[ObjectKind]['undo'];

/**
 * An object that a generation (one capture) creates. `after` says whether `complete` removes the
 * object or hands it over.
 */
export interface PlannedObject extends OwnedObject {
  readonly after: 'handed over' | 'removed at complete';
}

/** Lists every object that a generation creates. A rollback removes all of them. */
export function plannedObjects(plan: ResolvedPlan): PlannedObject[] {
  return Object.values(KINDS)
    .flatMap(({ planned }): readonly OwnedObject[] => planned(plan))
    .map((object) => ({
      ...object,
      after: atComplete(plan, object) === 'remove' ? 'removed at complete' : 'handed over',
    }));
}

export const atComplete = (plan: ResolvedPlan, object: OwnedObject): AtComplete =>
  KINDS[object.kind].atComplete(plan, object);
