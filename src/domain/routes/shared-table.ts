// Batch and stream on one table (`route: postgres-table`): what is ours beside it until the table
// changes hands.
import { namesOf } from '../migration/names.js';
import type { MigrationSpec, RouteSpec } from '../migration/spec.js';

export type SharedTableRoute = Extract<RouteSpec, { readonly type: 'postgres-table' }>;

/**
 * Returns the stream's staging table. Until the commit, only the batch may write the shared table.
 */
export const stagingTable = (spec: MigrationSpec): string =>
  `${namesOf(spec, 1).leaseSchema}.stream`;

/**
 * Rows of the shared table that the stream does not have: kept from the commit until `complete`,
 * given back by a way back.
 */
export const keptTable = (spec: MigrationSpec): string => `${namesOf(spec, 1).leaseSchema}.kept`;

/**
 * The sink's identity from the commit on: its session's role, and the epoch in which it became the
 * owner.
 */
export interface TableOwner {
  readonly role: string;
  /** `<iteration>.<epoch>`: a sink of an earlier iteration that comes back to life has another. */
  readonly since: string;
}

/** Returns session settings by which the table's trigger recognizes the sink. */
export const sessionOptions = ({ role, since }: TableOwner): string =>
  `-c role=${role} -c sluice.owner=${since}`;

export const tableOwner = (streamRole: string, iteration: number, epoch: number): TableOwner => ({
  role: streamRole,
  since: `${iteration}.${epoch}`,
});
