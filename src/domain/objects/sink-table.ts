// Describes the table that the sink writes to before the commit. If batch and stream share a table,
// this is the staging table. At the commit, its rows replace the rows of the shared table.
import type { KindPlan } from './owned-kind.js';

export const sinkTableKind = {
  label: 'sink table',
  undo: 'removeSinkTable',
  planned: ({ sink, targetDatabase }) =>
    sink ? [{ kind: 'sink-table', name: sink.writes.batch.text, where: targetDatabase }] : [],
  atComplete: ({ route }) => (route.sharesTable ? 'remove' : 'keep'),
} as const satisfies KindPlan;
