// The databases of a migration. The source has the tables that the batch reads. The target has the
// batch's result, the sink's table, the consumers' view and the lease row.
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
   * PEM files: the server's CA, the client's certificate, and the client's private key. The paths
   * are the same on the Sluice worker and on the Kafka Connect workers.
   */
  readonly sslrootcert?: string | undefined;
  readonly sslcert?: string | undefined;
  readonly sslkey?: string | undefined;
}

/** The parts of a spec that name its databases. */
interface WithDatabases {
  readonly spec: { readonly source: { readonly postgres: PostgresAddress } };
}

/** Returns the address of the target. */
export const targetPostgres = ({ spec }: WithDatabases): PostgresAddress => spec.source.postgres;

/** Returns the name of the target, in the form in which the ledger records where an object is. */
export const targetDatabase = ({ spec }: WithDatabases): string =>
  targetPostgres({ spec }).database;
