// Checks the tables on which Sluice will create triggers. The checks only read. The worker's
// database role must be able to create the triggers on every partition, and their names must be
// free. A write that a trigger refuses must not disable a subscription of logical replication.
import type pg from 'pg';
import { quoteIdent } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import {
  rowTriggerName,
  triggerName,
  type TriggerRole,
} from '../../domain/migration/trigger-names.js';
import type { Answer } from '../runtime/make-finding.js';
import { withPartitions } from '../../clients/postgres/partitions.js';

const PARTS = `SELECT DISTINCT relid::regclass AS part FROM unnest($1::text[]) AS root,
  LATERAL ${withPartitions('root::regclass')} AS tree`;

/**
 * Returns the first problem of the triggers with this role, or null if there is none.
 */
export async function guardProblem(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
): Promise<Answer | null> {
  const names = plan.fence.guards
    .filter((guard) => guard.role === role)
    .map(({ table }) => table.sql);
  return (
    (await ownerProblem(client, names)) ??
    (await foreignTrigger(client, plan, role, names)) ??
    (await fragileSubscription(client, names))
  );
}

/**
 * Checks ownership of each partition, because only the owner may ENABLE ALWAYS or DROP a trigger.
 */
async function ownerProblem(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<Answer | null> {
  const { rows } = await client.query<{ part: string; owner: string; us: string }>(
    `SELECT part::text, pg_get_userbyid(c.relowner) AS owner, current_user AS us FROM (${PARTS}) AS p JOIN pg_class c ON c.oid = p.part
      WHERE NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1`,
    [tables],
  );
  if (rows.length === 0) return null;
  const owners = [...new Set(rows.map(({ owner }) => owner))];
  return {
    detail: `only the owner may create a trigger that fires for every session: ${rows.map(({ part, owner }) => `${part} (owner ${owner})`).join(', ')}`,
    remedy: `GRANT ${owners.map(quoteIdent).join(', ')} TO ${quoteIdent(rows[0]!.us)}`,
  };
}

async function foreignTrigger(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  role: TriggerRole,
  tables: readonly string[],
): Promise<Answer | null> {
  const { rows } = await client.query<{ name: string; part: string }>(
    `SELECT tgname AS name, part::text FROM (${PARTS}) AS p JOIN pg_trigger t ON t.tgrelid = p.part JOIN pg_proc f ON f.oid = t.tgfoid
      WHERE tgname = ANY ($2) AND f.pronamespace IS DISTINCT FROM to_regnamespace($3)::oid ORDER BY 2, 1`,
    [
      tables,
      [triggerName(plan.names, role), rowTriggerName(plan.names, role)],
      quoteIdent(plan.names.leaseSchema),
    ],
  );
  if (rows.length === 0) return null;
  return {
    detail: `a trigger exists with a name that Sluice needs, and Sluice did not create it: ${rows.map(({ name, part }) => `${name} on ${part}`).join(', ')}`,
    remedy: rows
      .map(({ name, part }) => `ALTER TRIGGER ${quoteIdent(name)} ON ${part} RENAME TO …`)
      .join('; '),
  };
}

/**
 * Finds subscriptions that Postgres disables at the first error. Under the fence, the writes of a
 * subscription fail for some seconds. Other subscriptions survive this, because they try again.
 */
async function fragileSubscription(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<Answer | null> {
  // An ordinary role cannot read all columns of pg_subscription, so the query names the columns
  // that it needs. PostgreSQL 14 does not have `subdisableonerr`.
  const known = await client.query(
    `SELECT FROM pg_attribute WHERE attrelid = 'pg_subscription'::regclass AND attname = 'subdisableonerr'`,
  );
  if (known.rows.length === 0) return null;
  const { rows } = await client.query<{ name: string; part: string }>(
    `SELECT s.subname AS name, part::text FROM (${PARTS}) AS p JOIN pg_subscription_rel r ON r.srrelid = p.part JOIN pg_subscription s ON s.oid = r.srsubid
      WHERE s.subdisableonerr ORDER BY 1, 2`,
    [tables],
  );
  if (rows.length === 0) return null;
  const subscriptions = [...new Set(rows.map(({ name }) => name))];
  return {
    detail: `the first write that the fence refuses would disable a subscription: ${rows.map(({ name, part }) => `${name} writes ${part}`).join(', ')}`,
    remedy: subscriptions
      .map((name) => `ALTER SUBSCRIPTION ${quoteIdent(name)} SET (disable_on_error = false)`)
      .join('; '),
  };
}
