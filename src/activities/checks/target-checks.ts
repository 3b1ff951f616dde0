// Checks, read-only, the database of the result if it is not the source. If both are one database,
// the checks of the source cover it.
import { readTarget } from '../../clients/postgres/target-connection.js';
import type { Check } from '../../domain/evidence/check.js';
import { hasTarget, targetPostgres } from '../../domain/migration/databases.js';
import { plainIdent } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import { attempt, failed, inTurn, passed } from '../runtime/make-finding.js';
import { checkPrivileges } from './missing-privileges.js';
import { connectionLimits, timeLimits } from './session-limits.js';
import { serverQuestions, type Ask } from './server-questions.js';

/** Returns no findings if the plan has no separate target. */
export async function checkTarget(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  if (!hasTarget(plan)) return [];
  const { host, port, database, user } = targetPostgres(plan);
  const place = `${user}@${host}:${port}/${database}`;
  try {
    return await readTarget(plan, secret, async (client) => {
      const one: Ask = async (sql) =>
        (await client.query<Record<string, string | null>>(sql)).rows[0] ?? {};
      const server = await inTurn([
        ...serverQuestions(one, 'target'),
        () => attempt('target.create', () => mayCreateSchema(one, database, user)),
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
    const problem = classify(error);
    const remedy =
      problem.code === 'unreachable' || problem.code === 'unexpected'
        ? 'check host, port, database and credentials of spec.target.postgres'
        : problem.remedy;
    return [
      failed('target.reachable', '', `cannot connect to ${place}: ${problem.message}`, remedy),
    ];
  }
}

async function mayCreateSchema(one: Ask, database: string, user: string) {
  const may = await one(`SELECT has_database_privilege(current_database(), 'CREATE') AS can`);
  return may['can'] === 't'
    ? 'the role may create a schema for the lease row'
    : {
        detail: `role ${user} may not create a schema in the target database`,
        remedy: `GRANT CREATE ON DATABASE ${plainIdent(database)} TO ${plainIdent(user)}`,
      };
}
