// Triggers of ours on tables of others, by the names under which the ledger knows them: `<trigger>
// on <table>`.
import type { Names } from '../migration/names.js';

/**
 * fence: holds every write while FENCED. owner: refuses writes of every session that does not own
 * the shared table.
 */
export type TriggerRole = 'fence' | 'owner';

export interface OwnedTrigger {
  readonly kind: 'trigger';
  readonly name: string;
  readonly where: string;
}

const ON = ' on ';

type Named = Pick<Names, 'leaseSchema'>;

/** The trigger's name in the database. */
export const triggerName = ({ leaseSchema }: Named, role: TriggerRole): string =>
  `${leaseSchema}_${role}`;

/** The trigger beside it that each row fires. */
export const rowTriggerName = (names: Named, role: TriggerRole): string =>
  `${triggerName(names, role)}_row`;

/** The trigger of this role on one table (as the spec writes it), as the ledger knows it. */
export const ledgerName = (names: Named, role: TriggerRole, table: string): string =>
  `${triggerName(names, role)}${ON}${table}`;

/** The table, as the spec writes it, and the role of a trigger's name in the ledger. */
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
