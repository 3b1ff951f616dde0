// The databases of a migration. The source has the tables that the batch reads. The target has the
// batch's result and run log, the sink's table, the consumers' view and the lease row. The target
// is the source, unless the spec names a different database.
import type { SecretRef } from './cluster-access.js';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly passwordFrom?: SecretRef | undefined;
  /** The TLS mode, with libpq's meaning. */
  readonly sslmode: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /**
   * The PEM file of the server's CA. The paths of all three files are the same on the Sluice worker
   * and on the Kafka Connect workers.
   */
  readonly sslrootcert?: string | undefined;
  /** The PEM file of the client's certificate. */
  readonly sslcert?: string | undefined;
  /** The PEM file of the client's private key. */
  readonly sslkey?: string | undefined;
}

/** The database of the result, if it is not the source. */
export interface TargetSpec {
  readonly postgres: PostgresAddress;
}

/** One of the two databases of a migration. */
export type Place = 'source' | 'target';

/** The parts of a spec that name its databases. */
interface WithDatabases {
  readonly spec: {
    readonly source: { readonly postgres: PostgresAddress };
    readonly target?: TargetSpec | undefined;
  };
}

/** Returns whether the result is in a different database than the source tables. */
export const hasTarget = ({ spec }: WithDatabases): boolean => spec.target !== undefined;

/** Returns the address of the target. */
export const targetPostgres = ({ spec }: WithDatabases): PostgresAddress =>
  spec.target?.postgres ?? spec.source.postgres;

/** Returns the address of a database. */
export const addressAt = (spec: WithDatabases, place: Place): PostgresAddress =>
  place === 'target' ? targetPostgres(spec) : spec.spec.source.postgres;

/**
 * Returns the text by which the ledger and messages name the target. Two servers may have databases
 * of the same name, so the text for a separate target contains the server's address.
 */
export function targetDatabase({ spec }: WithDatabases): string {
  if (!spec.target) return spec.source.postgres.database;
  const { host, port, database } = spec.target.postgres;
  return `${database} on ${host}:${port}`;
}

/** Returns the name of the target if it is not the source, otherwise null. */
export const separateTarget = (spec: WithDatabases): string | null =>
  hasTarget(spec) ? targetDatabase(spec) : null;

/**
 * Returns whether the lease row is in the source. One transaction can then change the row and write
 * a marker into the source's WAL.
 */
export const isLeaseInSource = (spec: WithDatabases & { readonly batch: object | null }): boolean =>
  spec.batch !== null && !hasTarget(spec);
