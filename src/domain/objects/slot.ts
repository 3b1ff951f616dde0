// The replication slot holds the WAL that the connector has not read. A connector that polls needs
// none.
import type { KindPlan } from './owned-kind.js';

export const slotKind = {
  label: 'slot',
  undo: 'removeSlot',
  planned: ({ capture, names, database }) =>
    capture.hasSlot ? [{ kind: 'slot', name: names.slot, where: database }] : [],
  atComplete: () => 'keep',
} as const satisfies KindPlan;
