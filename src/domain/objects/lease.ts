// The lease row decides who owns the result. A new generation keeps the row; only the end of the
// run removes it.
import type { KindPlan } from './owned-kind.js';

export const leaseKind = {
  label: 'lease',
  undo: 'removeLease',
  planned: ({ names, batch, targetDatabase }) => [
    { kind: 'lease', name: names.leaseSchema, where: batch ? targetDatabase : 'ledger' },
  ],
  atComplete: () => 'remove',
} as const satisfies KindPlan;
