// Describes the lease row, which says whether consumers read the batch or the stream. A new
// generation, which replaces a lost capture, keeps the row. Only the end of the run removes it.
import type { KindPlan } from './owned-kind.js';

export const leaseKind = {
  label: 'lease',
  undo: 'removeLease',
  planned: ({ names, batch, targetDatabase }) => [
    { kind: 'lease', name: names.leaseSchema, where: batch ? targetDatabase : 'ledger' },
  ],
  atComplete: () => 'remove',
} as const satisfies KindPlan;
