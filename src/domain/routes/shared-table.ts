// Names what Sluice needs for a shared table (`route: postgres-table`), which batch and stream
// write one after the other.
import type { Names } from '../migration/names.js';
import type { RouteSpec } from '../migration/spec.js';

export type SharedTableRoute = Extract<RouteSpec, { readonly type: 'postgres-table' }>;

/**
 * Returns the stream's staging table. Until the commit, only the batch may write the shared table.
 */
export const stagingTable = ({ leaseSchema }: Names): string => `${leaseSchema}.stream`;

/**
 * Returns the table for the rows that the commit removed from the shared table because the stream
 * lacks them. They are kept until `complete`, and a rollback restores them.
 */
export const keptTable = ({ leaseSchema }: Names): string => `${leaseSchema}.kept`;

/**
 * The sink's identity after the commit: the role of its session, and the evidence epoch under which
 * it became the owner.
 */
export interface TableOwner {
  readonly role: string;
  /**
   * `<iteration>.<epoch>`. A sink of an earlier iteration that comes back to life has a different
   * value.
   */
  readonly since: string;
}

/** Returns the session settings by which the table's trigger recognizes the sink. */
export const sessionOptions = ({ role, since }: TableOwner): string =>
  `-c role=${role} -c sluice.owner=${since}`;

export const tableOwner = (streamRole: string, iteration: number, epoch: number): TableOwner => ({
  role: streamRole,
  since: `${iteration}.${epoch}`,
});
