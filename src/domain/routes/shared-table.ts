// Route `postgres-table`: batch and stream write to one table. The batch writes to it until the
// commit. Afterwards only the stream may write to it.
import { contradictionList } from '../migration/contradiction.js';
import { PLAIN_FACTS, type Route, type SharedTablePlan } from './route.js';
import { relation, type Names } from '../migration/names.js';
import type { RouteSpec } from '../migration/spec.js';

export type SharedTableRoute = Extract<RouteSpec, { readonly type: 'postgres-table' }>;

/**
 * Returns the staging table, to which the stream writes until the commit. Until then, the stream's
 * role must not write to the shared table.
 */
export const stagingTable = ({ leaseSchema }: Names): string => `${leaseSchema}.stream`;

/**
 * Returns the table for the rows that the commit removed from the shared table because the stream
 * lacks them. They are kept until `complete`, and a rollback restores them.
 */
export const keptTable = ({ leaseSchema }: Names): string => `${leaseSchema}.kept`;

function facts(route: SharedTableRoute): Omit<SharedTablePlan, 'kind' | 'staging' | 'kept'> {
  const table = relation(route.table);
  const { batchRole, streamRole } = route;
  return {
    ...PLAIN_FACTS,
    asksOtherSystem: false,
    table,
    batchRole,
    streamRole,
    words: {
      recheck: '',
      fence: 'trigger on the shared table; ',
      commit: "the table gets the stream's rows, then ",
      route: 'after the commit, the sink writes to the table, and writes of the batch are refused',
      confirm: 'a trial write as the sink and one as the batch show who may write',
      unexpected: 'find out who changed the trigger or the privileges of the shared table',
      back: "returns the table to the batch, with the current result of the batch's query and the rows that the commit removed",
      completed: 'From now on, only the stream writes to the table.',
    },
    notes: [
      `route by table: after the commit, the batch's writes to ${route.table} fail with an error until a rollback returns the table to the batch. During the soak, the batch is represented by its query, which every window runs again. ` +
        `The commit removes rows that the stream does not have; a rollback restores them, but \`complete\` deletes them for good. At complete, role ${batchRole} loses its privileges to write to the table`,
    ],
    consumers: ['-- Consumers keep their privileges on the shared table.'],
    needs: {
      owned: { relation: table, uses: 'only its owner may grant and revoke privileges on it' },
      creates: null,
      actsAs: {
        role: streamRole,
        why: 'the sink writes to the shared table as this role',
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
  plan: (route, names) => ({
    ...facts(route),
    kind: 'table',
    staging: relation(stagingTable(names)),
    kept: relation(keptTable(names)),
  }),

  contradictions(route, { batch, sink, validation, source }) {
    const { found, add } = contradictionList();
    if (!batch || !sink) {
      add(
        'a route by table needs spec.batch and spec.sink, because both write to the table',
        'cutover',
        'route',
      );
      return found;
    }
    if (batch.result.table !== route.table)
      add(`must be the batch's result table, ${batch.result.table}`, 'cutover', 'route', 'table');
    if (sink.table !== route.table)
      add(
        `must be the route's table, ${route.table}; until the commit, the stream writes to a staging table instead`,
        'sink',
        'table',
      );
    if (route.batchRole === route.streamRole)
      add(
        "must not be batchRole, because the table's trigger distinguishes stream and batch by their roles",
        'cutover',
        'route',
        'streamRole',
      );
    if (route.streamRole === source.postgres.user)
      add(
        `must not be the role that Sluice connects as, ${source.postgres.user}, because only the sink's sessions may act as the stream`,
        'cutover',
        'route',
        'streamRole',
      );
    const shared = relation(route.table).sql;
    if (source.tables.some((table) => relation(table).sql === shared))
      add(
        'is one of source.tables, but the pipeline must not write to a table that it reads',
        'cutover',
        'route',
        'table',
      );
    if (validation.closedKeys)
      add(
        'omit closedKeys, or use a route by view: closed keys compare what the batch stores, but after the commit the stream writes to that table',
        'validation',
        'closedKeys',
      );
    return found;
  },
};
