// Checks the target if it is not the source database. The checks only read. If the target is the
// source database, the checks of the source cover it.
import { readTarget } from '../../clients/postgres/target-connection.js';
import type { Check } from '../../domain/evidence/check.js';
import { hasTarget, targetPostgres } from '../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { attempt, inTurn, passed } from '../runtime/make-finding.js';
import { checkPrivileges } from './missing-privileges.js';
import { connectionLimits, timeLimits } from './session-limits.js';
import { asking, mayCreate, notReached, serverQuestions } from './server-questions.js';

/** Runs the checks. Returns no findings if the plan has no separate target. */
export async function checkTarget(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  if (!hasTarget(plan)) return [];
  const address = targetPostgres(plan);
  const { host, port, database, user } = address;
  const place = `${user}@${host}:${port}/${database}`;
  try {
    return await readTarget(plan, secret, async (client) => {
      const one = asking(client);
      const server = await inTurn([
        ...serverQuestions(one, 'target'),
        mayCreate(one, 'target', address, {
          may: 'the role may create a schema for the lease row',
          mayNot: 'cannot create a schema in the target database',
        }),
        () => attempt('target.time-limits', () => timeLimits(client, plan, 'target', 0)),
        () => attempt('target.connections', () => connectionLimits(client, plan, 'target')),
      ]);
      return [
        passed('target.reachable', '', `connected to ${place}`),
        ...server,
        ...(await checkPrivileges(client, plan, 'target', server)),
      ];
    });
  } catch (error) {
    return [notReached('target', place, error)];
  }
}
