// Builds and parses the names of the triggers that Sluice puts on tables of other owners. The
// ledger writes such a name as `<trigger> on <table>`.
import type { Names } from './names.js';

/**
 * `fence`: the trigger refuses every write while the lease is FENCED and has not expired. `owner`:
 * the trigger on a shared table. It refuses the stream's role before the commit, and every other
 * role after the commit. Until the fence ends or expires, it refuses all but Sluice's own writes.
 * Both triggers also refuse every write if the lease row is gone.
 */
export type TriggerRole = 'fence' | 'owner';

export interface OwnedTrigger {
  readonly kind: 'trigger';
  readonly name: string;
  readonly where: string;
}

const ON = ' on ';

type Named = Pick<Names, 'leaseSchema'>;

/** Returns the name in the database of the trigger that fires for each statement. */
export const triggerName = ({ leaseSchema }: Named, role: TriggerRole): string =>
  `${leaseSchema}_${role}`;

/** Returns the name of the trigger of the same role that fires for each row. */
export const rowTriggerName = (names: Named, role: TriggerRole): string =>
  `${triggerName(names, role)}_row`;

/**
 * Returns the name in the ledger of this role's trigger on one table. `table` is the name that the
 * spec uses.
 */
export const ledgerName = (names: Named, role: TriggerRole, table: string): string =>
  `${triggerName(names, role)}${ON}${table}`;

/**
 * Parses a trigger's name in the ledger into its role and its table. The table is the name that the
 * spec uses.
 */
export function readTrigger(
  names: Named,
  name: string,
): { readonly role: TriggerRole; readonly table: string } {
  const at = name.indexOf(ON);
  return {
    role: name.slice(0, at) === triggerName(names, 'owner') ? 'owner' : 'fence',
    table: name.slice(at + ON.length),
  };
}
