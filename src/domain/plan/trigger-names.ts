// Triggers of ours on tables of others, by the names under which the ledger knows them: `<trigger> on <table>`.
import { namesOf } from '../migration/names.js';
import { sharedTableOf } from '../routes/shared-table.js';
import type { MigrationSpec } from '../migration/spec.js';

/** fence: holds every write while FENCED. owner: refuses writes of whoever does not own the shared table. */
const ROLES = ['fence', 'owner'] as const;
export type TriggerRole = (typeof ROLES)[number];

export interface OwnedTrigger {
  readonly kind: 'trigger';
  readonly name: string;
  readonly where: string;
}

const ON = ' on ';

/** The trigger's name in the database. */
export const triggerName = (spec: MigrationSpec, role: TriggerRole): string =>
  `${namesOf(spec, 1).leaseSchema}_${role}`;

/** The trigger beside it that each row fires. */
export const rowTriggerName = (spec: MigrationSpec, role: TriggerRole): string =>
  `${triggerName(spec, role)}_row`;

/** Tables, as the spec writes them, that a trigger of this role stands on while fenced. */
export function guardedTables(spec: MigrationSpec, role: TriggerRole): readonly string[] {
  if (role === 'fence') return spec.spec.cutover.fence === 'source' ? spec.spec.source.tables : [];
  const shared = sharedTableOf(spec);
  return shared ? [shared.table] : [];
}

/** Each trigger that must stand while fenced: its role, and its table as the spec writes it. */
export const guards = (
  spec: MigrationSpec,
): { readonly role: TriggerRole; readonly table: string }[] =>
  ROLES.flatMap((role) => guardedTables(spec, role).map((table) => ({ role, table })));

/** The trigger of this role on one table, as the ledger knows it. */
export const ownedTrigger = (
  spec: MigrationSpec,
  role: TriggerRole,
  table: string,
): OwnedTrigger => ({
  kind: 'trigger',
  name: `${triggerName(spec, role)}${ON}${table}`,
  where: spec.spec.source.postgres.database,
});

/** Everything that the fence makes: on the source tables where they are fenced, and on the table that changes hands. */
export const fenceTriggers = (spec: MigrationSpec): OwnedTrigger[] =>
  guards(spec).map(({ role, table }) => ownedTrigger(spec, role, table));

/** The table, as the spec writes it, and the role of a trigger's name in the ledger. */
export function readTrigger(
  spec: MigrationSpec,
  name: string,
): { readonly role: TriggerRole; readonly table: string } {
  const at = name.indexOf(ON);
  return {
    role: name.slice(0, at) === triggerName(spec, 'owner') ? 'owner' : 'fence',
    table: name.slice(at + ON.length),
  };
}
