// Asks the source about the batch if the result is in another database. A transaction on the target
// cannot see the source.
import { activeRun } from '../../clients/postgres/batch-runs.js';
import { readSource } from '../../clients/postgres/connection.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { hasTarget } from '../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';

/**
 * Describes an active run of the batch, or returns null. The run log is in the target. A batch that
 * is known by its sessions may have them in either database.
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
 * Returns the reason why a commit on a separate target must not happen: a session of the batch is
 * active in the source, or the source does not answer within `limitMs`. Returns null if neither is
 * true, or if the source is the target.
 */
export async function sourceProblem(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
  limitMs: number,
): Promise<string | null> {
  if (!hasTarget(plan)) return null;
  const silent = (why: string): string => `the source ${plan.database} does not answer: ${why}`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, limitMs, silent(`it took longer than ${limitMs} ms`));
  });
  const asked = readSource(plan, secret, async (client) => {
    const active = mayRunInSource(plan) ? await activeRun(client, plan, null) : null;
    if (active === null) await insertLsn(client); // a standby, which may lag, refuses this
    return active;
  });
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    return silent(classify(error).message);
  } finally {
    clearTimeout(timer);
    asked.catch(() => undefined); // a late error has no reader
  }
}

/** Returns whether only sessions in a separate source can show that the batch runs. */
function mayRunInSource(plan: ResolvedPlan): boolean {
  const runs = plan.batch?.runs;
  return hasTarget(plan) && runs != null && 'application' in runs;
}
