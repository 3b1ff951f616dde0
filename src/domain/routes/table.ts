// Route `postgres-table`: batch and stream write one table, and the commit makes the stream its
// owner.
import { PLAIN_FACTS, contradictionList, type Route, type SharedTablePlan } from './route.js';
import { relation } from '../migration/names.js';
import { keptTable, stagingTable, type SharedTableRoute } from './shared-table.js';

function facts(route: SharedTableRoute): Omit<SharedTablePlan, 'kind' | 'staging' | 'kept'> {
  const table = relation(route.table);
  const { batchRole, streamRole } = route;
  return {
    ...PLAIN_FACTS,
    table,
    batchRole,
    streamRole,
    words: {
      recheck: '',
      fence: 'trigger on the shared table; ',
      commit: "the table gets the stream's rows, then ",
      route: 'the sink writes the table, as its owner: the batch is refused from the commit on',
      confirm: 'the allowed writer is observed by trying as the sink and as the batch',
      unexpected: 'find out who changed the trigger or the rights of the shared table',
      back: "returns the table to the batch, with the current result of the batch's query and every row that only the table had",
      completed: "The table is the stream's.",
    },
    notes: [
      `route by table: from the commit on the batch's writes of ${route.table} are refused with an error, until a rollback returns the table to it; its shadow is its query, which every window re-runs. ` +
        `Rows that the query does not give leave the table at the commit; a rollback returns them, \`complete\` does not. At complete role ${batchRole} loses its right to write`,
    ],
    consumers: ['-- Consumers keep their rights on the shared table.'],
    needs: {
      owned: { relation: table, uses: 'only its owner may publish it' },
      creates: null,
      actsAs: {
        role: streamRole,
        why: 'the sink writes the shared table as this role',
        without: 'doctor: route.table',
      },
      reads: [],
    },
    sharesTable: true,
    guarded: table,
    movesSink: true,
    refusesBatch: true,
  };
}

export const tableRoute: Route<SharedTableRoute> = {
  plan: (route, spec) => ({
    ...facts(route),
    kind: 'table',
    staging: relation(stagingTable(spec)),
    kept: relation(keptTable(spec)),
  }),

  contradictions(route, { batch, sink, validation, source }) {
    const { found, add } = contradictionList();
    if (!batch || !sink) {
      add(
        'a route by table needs spec.batch and spec.sink: both write the table',
        'cutover',
        'route',
      );
      return found;
    }
    if (batch.result.table !== route.table)
      add(`must be the batch's result table, ${batch.result.table}`, 'cutover', 'route', 'table');
    if (sink.table !== route.table)
      add(
        `must be the route's table, ${route.table}: until the commit the stream writes a staging table beside it`,
        'sink',
        'table',
      );
    if (route.batchRole === route.streamRole)
      add(
        'must be another role than batchRole, because the table distinguishes the two by their roles',
        'cutover',
        'route',
        'streamRole',
      );
    if (route.streamRole === source.postgres.user)
      add(
        `must be another role than the one that Sluice connects as, ${source.postgres.user}: only the sink's sessions may act as the stream`,
        'cutover',
        'route',
        'streamRole',
      );
    if (source.tables.includes(route.table))
      add(
        'is one of source.tables, but the pipeline must not write a table that it reads',
        'cutover',
        'route',
        'table',
      );
    if (validation.closedKeys)
      add(
        'closed keys compare what the batch stores, and from the commit on the stream writes there: omit closedKeys, or use a route by view',
        'validation',
        'closedKeys',
      );
    return found;
  },
};
