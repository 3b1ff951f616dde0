// Looks for active runs of the batch in the target and in the source. Before a commit on a separate
// target, also checks that the source answers and is still the server of the fence. A transaction
// on the target cannot see the source.
import { activeRun } from '../../clients/postgres/batch-runs.js';
import { readSource } from '../../clients/postgres/connection.js';
import type { LeaseRow } from '../../clients/postgres/lease-row.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { hasTarget } from '../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import { describeMove } from './proven-servers.js';

/**
 * Describes an active run of the batch, or returns null. A run log is always in the target. If the
 * spec instead names the application of the batch's sessions, a session may be in either database.
 */
export async function activeAnywhere(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<string | null> {
  const inTarget = await withTarget(plan, secret, (client) => activeRun(client, plan, null));
  return inTarget !== null || !mayRunInSource(plan)
    ? inTarget
    : readSource(plan, secret, (client) => activeRun(client, plan, null));
}

/**
 * Returns the reason why a commit on a separate target must not happen. A session of the batch may
 * be active in the source, or the source may be a different server than at the fence. It is also a
 * reason if the source could not be checked within `limitMs`. Returns null if there is no reason,
 * or if the source is the target.
 */
export async function sourceProblem(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
  { source_server: fenced }: LeaseRow,
  limitMs: number,
): Promise<string | null> {
  if (!hasTarget(plan)) return null;
  const silent = (why: string): string =>
    `the source ${plan.database} could not be checked: ${why}`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, limitMs, silent(`it took longer than ${limitMs} ms`));
  });
  const asked = readSource(plan, secret, async (client) => {
    const active = mayRunInSource(plan) ? await activeRun(client, plan, null) : null;
    if (active !== null) return active;
    await insertLsn(client); // a standby, which may lag, refuses this call
    return describeMove('source', plan.database, fenced, await serverIdentity(client));
  });
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    return silent(classify(error).message);
  } finally {
    clearTimeout(timer);
    asked.catch(() => undefined); // ignore an error that comes too late
  }
}

/**
 * Returns whether the batch may be running in a session on the source. A query on the target does
 * not show such a session.
 */
function mayRunInSource(plan: ResolvedPlan): boolean {
  const runs = plan.batch?.runs;
  return hasTarget(plan) && runs != null && 'application' in runs;
}
