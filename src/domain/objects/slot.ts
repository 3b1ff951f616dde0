// Describes the replication slot, which keeps the WAL that the connector has not read yet. A
// polling connector needs no slot.
import type { KindPlan } from './owned-kind.js';

export const slotKind = {
  label: 'slot',
  undo: 'removeSlot',
  planned: ({ capture, names, database }) =>
    capture.hasSlot ? [{ kind: 'slot', name: names.slot, where: database }] : [],
  atComplete: () => 'keep',
} as const satisfies KindPlan;
