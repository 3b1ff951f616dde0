// Switches the view that consumers read, and switches it back. A switch changes only the table that
// the view reads, and proves in its own transaction that nothing else changed.
import type pg from 'pg';
import { loadParser } from '../../../assess/sql/analyse.js';
import { differOnlyBy, swapRelation, type Swapped } from '../../../assess/sql/swap-relation.js';
import { type Relation } from '../../../assess/sql/swap-limits.js';
import {
  readsAsInvoker,
  rowSecurityOf,
  whoWouldLack,
} from '../../../clients/postgres/consumer-access.js';
import { forgetView, keepView, keptView } from '../../../clients/postgres/kept-view.js';
import {
  columnsRead,
  keysGroupedBy,
  lockView,
  observedSide,
  readView,
  replaceView,
  viewWrites,
  plainName,
  type ViewState,
} from '../../../clients/postgres/consumer-view.js';
import { Problem } from '../../../domain/failure.js';
import type { ViewPlan } from '../../../domain/routes/route.js';
import { qualified } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { relationOf } from './relation-of.js';

type Side = 'batch' | 'stream';
const other = (side: Side): Side => (side === 'batch' ? 'stream' : 'batch');

/**
 * Returns the view's text with the table `to` in place of `from`, or the reason why the table
 * cannot be replaced. Changes nothing.
 */
export async function planSwap(
  client: pg.ClientBase,
  route: ViewPlan,
  from: Relation,
  to: Relation,
  state: ViewState,
): Promise<Swapped> {
  await loadParser();
  const { view } = route;
  const written = (await viewWrites(client, view)).filter(
    (table) => table === plainName(route.batch.text),
  );
  if (written.length > 0)
    return {
      problem: `a rule of the view writes ${written.join(', ')}, which consumers will no longer read`,
    };
  return swapRelation(
    {
      definition: state.definition,
      uses: await columnsRead(client, view, from.name),
      groupsBy: await keysGroupedBy(client, view, from.name),
      isChecked: state.options.some((option) => option.startsWith('check_option=')),
    },
    from,
    to,
  );
}

/**
 * Switches the view to the stream's table in the commit's transaction. Stores the view's old and
 * new text in the schema of the lease row. Throws a Problem if anything else would change, or if
 * the view could not be restored exactly. Also throws a Problem if a role could no longer read the
 * view, or would see other rows. After a Problem, the caller MUST roll back.
 */
export async function switchView(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  route: ViewPlan,
): Promise<void> {
  const { view } = route;
  const before = await lockedView(client, route);
  if ((await observedSide(client, route)) !== 'batch')
    throw cannotSwitch(route, `it does not read only ${route.batch.text}`);
  const swapped = await planned(client, route, 'stream', before);
  if ('problem' in swapped) throw cannotSwitch(route, swapped.problem);
  await replaceView(client, view, before);
  const again = (await readView(client, view))!;
  if (again.definition !== before.definition)
    throw cannotSwitch(
      route,
      `Postgres does not return its text unchanged: ${firstDifference(before.definition, again.definition)}`,
    );
  const columns = await columnsRead(client, view, route.batch);
  await replaceView(client, view, { ...before, definition: swapped.definition });
  const after = (await readView(client, view))!;
  const lost = await whatChanged(client, route, before, after, 'stream');
  if (lost) throw cannotSwitch(route, `more than the table would change: ${lost}`);
  const denied = await accessProblem(
    client,
    route,
    before,
    columns,
    await columnsRead(client, view, route.stream),
  );
  if (denied)
    throw new Problem('permission-denied', denied.detail, `${denied.remedy}; then: sluice retry`);
  // this checks the privileges of the view's owner, as a read would, without reading rows
  await client.query(`EXPLAIN SELECT * FROM ${qualified(view)}`);
  await keepView(client, plan, { before: before.definition, after: after.definition });
}

/**
 * The problem if a person has dropped the view. Sluice does not create the view, because it does
 * not know who may read it.
 */
export const missingView = ({ view, batch, stream }: ViewPlan): Problem =>
  new Problem(
    'route-unexpected',
    `view ${view.text} does not exist, so consumers cannot read it`,
    `create it again with its privileges, so that it reads ${batch.text} before the commit and ${stream.text} after it; then: sluice retry`,
  );

export const cannotSwitch = (
  route: ViewPlan,
  why: string,
  remedy = 'change the view so that the table that it reads can be replaced',
): Problem =>
  new Problem(
    'route-unexpected',
    `view ${route.view.text} cannot be switched: ${why}`,
    `${remedy}, then: sluice retry`,
  );

/**
 * Returns what changes for readers of the view when the view reads the stream's table. That table
 * MUST exist. Returns null if readers see no change. Changes nothing.
 */
export async function accessProblem(
  client: pg.ClientBase,
  route: ViewPlan,
  { owner, options }: ViewState,
  batchColumns: readonly string[],
  streamColumns: readonly string[],
): Promise<{ detail: string; remedy: string } | null> {
  const { view, batch, stream } = route;
  const readers = { view, owner, asInvoker: readsAsInvoker(options) };
  const lack = await whoWouldLack(
    client,
    readers,
    { name: batch, columns: batchColumns },
    { name: stream, columns: streamColumns },
  );
  if (lack)
    return {
      detail: `after the cut-over, ${lack.roles.join(', ')} would not be able to read ${route.view.text}, because they lack the privilege SELECT on ${route.stream.text}`,
      remedy: lack.grant,
    };
  const role = readers.asInvoker ? null : owner;
  if ((await rowSecurityOf(client, batch, role)) === (await rowSecurityOf(client, stream, role)))
    return null;
  return {
    detail: `row security of ${route.batch.text} and ${route.stream.text} differs, so consumers of ${route.view.text} would see different rows`,
    remedy: `create ${route.stream.text} yourself, with the row security and the policies of ${route.batch.text}`,
  };
}

/**
 * Gives the view back the text that it had before the commit, in the rollback's transaction. If the
 * view was edited since the commit, keeps the edit and replaces only the table. Idempotent.
 */
export async function switchViewBack(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  route: ViewPlan,
): Promise<void> {
  const { view } = route;
  const now = await lockedView(client, route);
  if ((await observedSide(client, route)) !== 'batch') {
    const kept = await keptView(client, plan);
    const isUnedited = kept?.after === now.definition;
    const swapped = isUnedited
      ? { definition: kept.before }
      : await planned(client, route, 'batch', now);
    if ('problem' in swapped)
      throw new Problem(
        'route-unexpected',
        `view ${route.view.text} was edited and cannot be switched back automatically: ${swapped.problem}`,
      );
    await replaceView(client, view, { ...now, definition: swapped.definition });
    const after = await lockedView(client, route);
    const lost =
      isUnedited && after.definition !== kept.before
        ? firstDifference(kept.before, after.definition)
        : await whatChanged(client, route, now, after, 'batch');
    if (lost)
      throw new Problem(
        'route-unexpected',
        `view ${route.view.text} would not be restored exactly: ${lost}`,
      );
  }
  await forgetView(client, plan);
}

async function lockedView(client: pg.ClientBase, route: ViewPlan): Promise<ViewState> {
  const { view } = route;
  const seen = await readView(client, view);
  if (!seen) throw missingView(route);
  if (seen.kind !== 'v')
    throw new Problem('route-unexpected', `${route.view.text} is no longer a view`);
  await lockView(client, view, seen);
  return (await readView(client, view))!;
}

async function planned(
  client: pg.ClientBase,
  route: ViewPlan,
  to: Side,
  state: ViewState,
): Promise<Swapped> {
  const [from, target] = [
    await relationOf(client, route[other(to)].text),
    await relationOf(client, route[to].text),
  ];
  if (!from || !target)
    return {
      problem: `this table does not exist: ${from ? route[to].text : route[other(to)].text}`,
    };
  return planSwap(client, route, from, target, state);
}

/** Describes the first change of the view apart from the replaced table, or returns null. */
async function whatChanged(
  client: pg.ClientBase,
  route: ViewPlan,
  before: ViewState,
  after: ViewState,
  now: Side,
): Promise<string | null> {
  await loadParser();
  const [from, to] = [route[other(now)], route[now]];
  if (!differOnlyBy(before.definition, from, after.definition, to))
    return firstDifference(before.definition, after.definition);
  if (before.options.join() !== after.options.join())
    return `its options (${before.options.join(', ')}) would be (${after.options.join(', ')})`;
  if (before.rest !== after.rest) return firstDifference(before.rest, after.rest);
  const side = await observedSide(client, route);
  return side === now ? null : `it would still depend on ${route[other(now)].text}`;
}

function firstDifference(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at += 1;
  const shown = (text: string): string =>
    text.slice(Math.max(0, at - 20), at + 60).replaceAll(/\s+/g, ' ');
  return `"${shown(before)}" is not "${shown(after)}"`;
}
