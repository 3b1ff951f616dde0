// Describes the triggers that refuse writes while the lease row is FENCED, which is during a
// cut-over. The trigger of a shared table also refuses the batch's writes after the commit. The
// transaction of the fence creates all of these triggers.
import type { KindPlan } from './owned-kind.js';

export const triggerKind = {
  label: 'trigger',
  undo: 'removeTrigger',
  planned: ({ fence }) => fence.guards.map(({ trigger }) => trigger),
  atComplete: () => 'remove',
} as const satisfies KindPlan;
