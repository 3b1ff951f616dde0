// Commits the cut-over: one transaction changes both what consumers read (the route) and the lease
// row that records it, or neither. With the route `http`, another system switches afterwards.
import type pg from 'pg';
import { isOverdue, type Held, type HoldLimits } from '../../clients/postgres/held-transaction.js';
import { leaseTable, type LeaseRow } from '../../clients/postgres/lease-row.js';
import { activeRun } from '../../clients/postgres/batch-runs.js';
import type { RowsChanged } from '../../clients/postgres/shared-table-rows.js';
import { unguardedParts } from '../../clients/postgres/trigger-sql.js';
import { Problem, type FailureCode } from '../../domain/failure.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import type { FenceInput, Refusable } from './fence.js';
import { Refused, holdLimits, leaseAccess } from '../ownership/lease-store.js';
import { targetProblem } from './proven-servers.js';
import { stopIfCancelled } from '../runtime/poll-until.js';
import { routeEffects } from './routes/index.js';
import { sourceProblem } from './source-at-commit.js';
import type { Planned } from '../runtime/with-plan.js';

const COMMIT_MARGIN_MS = 1000;
// With one of the first two errors, the route refuses its switch. The third says that a condition
// of the preflight is no longer true, such as the types of the run log. Nothing is committed, so
// consumers still read the batch.
const REFUSES: readonly FailureCode[] = [
  'route-unexpected',
  'permission-denied',
  'preflight-failed',
];

/**
 * Commits, or returns the reason why the commit was refused. If this function throws, only the
 * lease row shows whether the commit happened.
 */
export async function commitOrRefuse(
  deps: Deps,
  input: FenceInput & Planned,
): Promise<Refusable & { readonly rows?: RowsChanged }> {
  const { onLease } = leaseAccess(deps);
  const limits = holdLimits(input.plan);
  try {
    const rows = await onLease(input.plan, limits, (client, held) =>
      commit(deps, input, client, held),
    );
    return { refused: null, ...(rows ? { rows } : {}) };
  } catch (error) {
    const refused = refusalOf(error, limits);
    if (refused === null) throw error;
    return { refused };
  }
}

/** Returns the reason if this error certainly means that nothing was committed, otherwise null. */
export function refusalOf(
  error: unknown,
  { overallMs }: Pick<HoldLimits, 'overallMs'>,
): string | null {
  if (error instanceof Refused) return error.message;
  if (error instanceof Problem && REFUSES.includes(error.code))
    return `${error.message} (${error.remedy})`;
  return isOverdue(error)
    ? `the commit did not end within ${Math.round(overallMs / 1000)} s, or the fence expired first`
    : null;
}

/**
 * Commits in the transaction of `client`. Returns how many rows of a shared table changed. Returns
 * null for the other routes, or if an earlier attempt of the activity has committed.
 */
async function commit(
  deps: Deps,
  { ref, plan, token, epoch, evidenceId }: FenceInput & Planned,
  client: pg.ClientBase,
  held: Held,
): Promise<RowsChanged | null> {
  const { lease } = leaseAccess(deps);
  const mine = `migration = ${quoteLiteral(ref.name)}`;
  const before = await lease(client, { ref, plan });
  if (before.state === 'SWITCHED' && before.token === token) return null;
  const route = routeEffects(plan, deps);
  const run = await activeRun(client, plan, before);
  if (run) throw new Refused(run);
  if (before.state !== 'FENCED' || before.token !== token)
    throw new Refused(describeLease(before, token, epoch, evidenceId));
  const moved = await targetProblem(client, plan, before);
  if (moved) throw new Refused(moved);
  await refuseUnguarded(client, plan);
  if (before.restMs <= COMMIT_MARGIN_MS)
    throw new Refused(describeLease(before, token, epoch, evidenceId));
  // The transaction must end before the fence expires. Otherwise, other sessions would wait for its
  // locks although the commit comes too late.
  await held.atMost(before.restMs);
  // The transaction is idle during this call. The server would end it after idleMs, so the source
  // must answer within half of that time.
  const unknown = await sourceProblem(deps, plan, before, holdLimits(plan).idleMs / 2);
  if (unknown) throw new Refused(unknown);
  const changed = await route.inCommit(client, plan, token);
  await client.query(`SELECT 1 FROM ${leaseTable(plan)} WHERE ${mine} FOR UPDATE`);
  stopIfCancelled(); // the run may have been cancelled during the wait for the lock
  const { rowCount } = await client.query(
    `UPDATE ${leaseTable(plan)} SET state = 'SWITCHED', switched_at = clock_timestamp() WHERE ${mine} AND state = 'FENCED' AND token = ${quoteLiteral(token)}
       AND epoch = ${epoch} AND NOT veto AND evidence_digest = ${quoteLiteral(evidenceId)} AND expires_at > clock_timestamp() + interval '${COMMIT_MARGIN_MS} milliseconds'`,
  );
  if (rowCount !== 1)
    throw new Refused(describeLease(await lease(client, { ref, plan }), token, epoch, evidenceId));
  return changed;
}

/**
 * Refuses the commit if a table lost its trigger, because the table may then have accepted writes
 * after the final window.
 */
async function refuseUnguarded(client: pg.ClientBase, plan: ResolvedPlan): Promise<void> {
  const open = await unguardedParts(client, plan);
  if (open.length > 0) throw new Refused(`not fenced: ${open.join(', ')}`);
}

function describeLease(row: LeaseRow, token: string, epoch: number, evidenceId: string): string {
  if (row.state !== 'FENCED') return `the state of the lease row is ${row.state}, not FENCED`;
  if (row.token !== token) return 'the fence belongs to a different attempt';
  if (row.epoch !== epoch)
    return `the lease row names epoch ${row.epoch}, and this attempt belongs to epoch ${epoch}`;
  if (row.veto) return 'the veto in the lease row is set';
  if (row.evidence_digest !== evidenceId)
    return `the lease row names evidence ${row.evidence_digest}, and this attempt belongs to ${evidenceId}`;
  return `the fence expires at ${row.expires_at}, less than ${COMMIT_MARGIN_MS} ms from now`;
}
