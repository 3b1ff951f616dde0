// Lists all rights in Postgres that a migration needs. `sluice init --sql` prints all of them, and
// `sluice doctor` names the missing rights.
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import type { Privilege, PrivilegeFacts } from './privilege.js';
import { capturing, sinking } from './connector-privileges.js';
import { administering, reading } from './worker-privileges.js';

/**
 * Returns the rights of a plan, without duplicate statements. `facts` describes the source
 * database, and `targetFacts` the target database. If the facts are unknown, a placeholder takes
 * the place of each owner: `<owner of public.orders>`. No server accepts the placeholder.
 */
export function privilegesFor(
  plan: ResolvedPlan,
  facts: PrivilegeFacts | null,
  targetFacts: PrivilegeFacts | null,
): Privilege[] {
  const all = [
    ...capturing(plan, facts),
    ...administering(plan, facts, targetFacts),
    ...reading(plan, facts, targetFacts),
    ...sinking(plan, targetFacts),
  ];
  const same = (one: Privilege, other: Privilege): boolean =>
    one.sql === other.sql && one.in === other.in;
  return all.filter((privilege, at) => all.findIndex((other) => same(other, privilege)) === at);
}
