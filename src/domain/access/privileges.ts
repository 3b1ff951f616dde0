// Lists all rights that a migration needs. `sluice init --sql` prints all of them, and `sluice
// doctor` names the missing rights.
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import type { Privilege, PrivilegeFacts } from './privilege.js';
import { capturing, sinking } from './connector-privileges.js';
import { administering, reading } from './worker-privileges.js';

/**
 * Returns the rights of a plan, without duplicate statements. If the facts are not known, each
 * owner is a placeholder that no server accepts: `<owner of public.orders>`.
 */
export function privilegesFor(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const all = [
    ...capturing(plan, facts),
    ...administering(plan, facts),
    ...reading(plan, facts),
    ...sinking(plan, facts),
  ];
  return all.filter((privilege, at) => all.findIndex(({ sql }) => sql === privilege.sql) === at);
}
