// Describes the triggers that refuse writes during the fence of a cut-over, until it ends or
// expires. The trigger of a shared table also refuses the batch's writes after the commit. The
// transaction of the fence creates all of these triggers.
import type { KindPlan } from './owned-kind.js';

export const triggerKind = {
  label: 'trigger',
  undo: 'removeTrigger',
  planned: ({ fence }) => fence.guards.map(({ trigger }) => trigger),
  atComplete: () => 'remove',
} as const satisfies KindPlan;
