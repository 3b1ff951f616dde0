// Describes the publication, which names the tables whose changes a connector reads from the WAL. A
// polling connector needs no publication.
import type { KindPlan } from './owned-kind.js';

export const publicationKind = {
  label: 'publication',
  undo: 'removePublication',
  planned: ({ capture, names, database }) =>
    capture.hasSlot ? [{ kind: 'publication', name: names.publication, where: database }] : [],
  atComplete: () => 'keep',
} as const satisfies KindPlan;
