// Checks that row security hides no row from the batch. Windows run the query as a role that sees
// every row. If the batch sees fewer rows, its result may differ from the result of that query.
import type pg from 'pg';
import { rowSecurityOf } from '../../../clients/postgres/consumer-access.js';
import { hasTarget } from '../../../domain/migration/databases.js';
import { plainIdent } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

/**
 * Returns a problem for the first table in which row security may hide rows from a role of the
 * batch.
 */
export async function hiddenFromBatch(
  client: pg.ClientBase,
  plan: ResolvedPlan,
): Promise<{ detail: string; remedy: string } | null> {
  for (const role of await rolesOfBatch(client, plan))
    for (const table of plan.tables) {
      if ((await rowSecurityOf(client, table, role)) === '') continue;
      return {
        detail: `row security of ${table.text} applies to role ${role}, which writes or owns the result. A batch of this role may see fewer rows than the windows and the stream`,
        remedy: `put the conditions of the policies into batch.query, then: ALTER ROLE ${plainIdent(role)} BYPASSRLS. If the batch uses a different role, waive batch.run with that reason`,
      };
    }
  return null;
}

/**
 * Returns the roles that the batch may use in the source: `batchRole`, and the owner of the table
 * of the result.
 */
async function rolesOfBatch(client: pg.ClientBase, plan: ResolvedPlan): Promise<readonly string[]> {
  const { batch, route } = plan;
  const { rows } = await client.query<{ role: string }>(
    `SELECT rolname::text AS role FROM pg_roles r WHERE r.rolname = $1 OR r.oid = (SELECT relowner FROM pg_class WHERE oid = to_regclass($2)) ORDER BY 1`,
    // a table of the target says nothing about the batch's session in the source
    [route.batchRole, hasTarget(plan) ? null : (batch?.resultTable.sql ?? null)],
  );
  return rows.map(({ role }) => role);
}
