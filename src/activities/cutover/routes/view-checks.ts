// Checks the view that consumers read. The checks only read. The commit must be able to replace the
// batch's table in the view, and the readers of the view must keep their privileges.
import type pg from 'pg';
import type { Databases } from '../../../clients/postgres/target-connection.js';
import { readsAsInvoker, rowSecurityOf } from '../../../clients/postgres/consumer-access.js';
import { describeQuery, readTable } from '../../../clients/postgres/catalog.js';
import {
  columnsRead,
  plainName,
  readView,
  viewReads,
  type ViewState,
} from '../../../clients/postgres/consumer-view.js';
import { targetPostgres } from '../../../domain/migration/databases.js';
import { quoteIdent, type TableName } from '../../../domain/migration/names.js';
import type { ViewPlan } from '../../../domain/routes/route.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { Relation } from '../../../assess/sql/swap-limits.js';
import { relationOf } from './relation-of.js';
import { uncomparedProblem } from './uncompared-columns.js';
import { accessProblem, planSwap } from './view-switch.js';
import type { Answer } from '../../runtime/make-finding.js';

const KINDS: Readonly<Record<string, string>> = {
  m: 'a materialized view, whose text cannot be replaced',
  r: 'a table',
  p: 'a table',
  f: 'a foreign table',
};

/**
 * Checks that the commit can replace the batch's table in the view without changing anything else.
 */
export async function checkView(
  { source, target: client }: Databases,
  plan: ResolvedPlan,
  route: ViewPlan,
): Promise<Answer> {
  const name = route.view;
  const view = await readView(client, name);
  if (!view)
    return {
      detail: 'the view does not exist',
      remedy: `CREATE VIEW ${route.view.text} AS SELECT * FROM ${route.batch.text}`,
    };
  if (view.kind !== 'v')
    return {
      detail: `it is ${KINDS[view.kind] ?? 'not a view'}`,
      remedy: `create a view over ${route.batch.text} for consumers, and name it in cutover.route.view`,
    };
  const right = await missingRight(client, plan, name, view.owner);
  if (right) return right;
  const reads = await viewReads(client, name);
  if (!reads.includes(plainName(route.batch.text)))
    return {
      detail: `the view reads ${reads.join(', ') || 'no table'}, not ${route.batch.text}`,
      remedy: 'correct cutover.route.view or cutover.route.batch',
    };
  const batch = await relationOf(client, route.batch.text);
  const existing = await relationOf(client, route.stream.text);
  const stream = existing ?? (await plannedRelation(source, plan, route, batch!));
  const swapped = await planSwap(client, route, batch!, stream, view);
  if ('definition' in swapped)
    return (
      (await uncomparedProblem(source, plan, await columnsRead(client, name, route.batch))) ??
      (await readersProblem(client, route, view, existing !== null)) ??
      `the view reads ${route.batch.text}, and the cut-over replaces only that table in it`
    );
  return {
    detail: `the view cannot be switched to the stream as it is: ${swapped.problem}`,
    remedy:
      'change the view so that this reason no longer holds, or compute that part in batch.query',
  };
}

/**
 * Checks that all readers of the view can still read it after the switch, and that row security
 * shows them the same rows. A sink's table that Sluice creates gets the SELECT privileges of the
 * result table and no row security. So only the result table's row security can then be a problem.
 */
async function readersProblem(
  client: pg.ClientBase,
  route: ViewPlan,
  view: ViewState,
  isThere: boolean,
): Promise<Answer | null> {
  const columns = await columnsRead(client, route.view, route.batch);
  if (isThere) return accessProblem(client, route, view, columns, columns);
  const role = readsAsInvoker(view.options) ? null : view.owner;
  if ((await rowSecurityOf(client, route.batch, role)) === '') return null;
  return {
    detail: `row security of ${route.batch.text} decides which rows consumers of ${route.view.text} see, and ${route.stream.text} will have none`,
    remedy: `create ${route.stream.text} yourself, with the row security and the policies of ${route.batch.text}`,
  };
}

/**
 * Returns the sink's table as Sluice will create it: like the result table, but only with the
 * query's columns.
 */
async function plannedRelation(
  source: pg.ClientBase,
  plan: ResolvedPlan,
  route: ViewPlan,
  batch: Relation,
): Promise<Relation> {
  const { query, result } = plan.batch!;
  const computed = (await describeQuery(source, query.sql)).map((column) => column.name);
  const columns = batch.columns.filter((column) => computed.includes(column.name));
  return { name: route.stream, columns, key: result.key };
}

/** Checks the ownership and the privilege that `CREATE OR REPLACE VIEW` needs. */
async function missingRight(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  view: TableName,
  owner: string,
): Promise<Answer | null> {
  const user = quoteIdent(targetPostgres(plan).user);
  const { isOwner } = (await readTable(
    client,
    `${quoteIdent(view.schema)}.${quoteIdent(view.table)}`,
  ))!;
  if (!isOwner)
    return {
      detail: `only the owner, ${owner}, may replace the view`,
      remedy: `GRANT ${quoteIdent(owner)} TO ${user}`,
    };
  const { rows } = await client.query<Record<string, string>>(
    `SELECT has_schema_privilege($1, 'CREATE')::text AS may`,
    [view.schema],
  );
  if (rows[0]!['may'] === 'true') return null;
  return {
    detail: `replacing the view needs the privilege CREATE on schema ${view.schema}`,
    remedy: `GRANT CREATE ON SCHEMA ${quoteIdent(view.schema)} TO ${user}`,
  };
}
