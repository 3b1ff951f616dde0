// Checks which privileges Sluice's role has on the ledger, and builds the statements that grant the
// missing privileges.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';

export interface Readiness {
  readonly isThere: boolean;
  readonly mayCreate: boolean;
  /** The statement that lets Sluice's role create the ledger's schema and tables. */
  readonly grant: string;
}

/**
 * Returns whether the ledger's tables exist and, if they do not, whether Sluice's role may create
 * them.
 */
export async function readiness(pool: pg.Pool): Promise<Readiness> {
  const { rows } = await pool.query<{ there: boolean; may: boolean; grant: string }>(
    `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sluice' AND c.relname = 'migration') AS there,
       has_database_privilege(current_database(), 'CREATE') AS may, format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user) AS grant`,
  );
  const { there, may, grant } = rows[0]!;
  return { isThere: there, mayCreate: may, grant };
}

/** Returns the Problem with the statements that the ledger's owner must run for Sluice's role. */
export async function denied(pool: pg.Pool, address: string, { message }: Error): Promise<Problem> {
  const { rows } = await pool.query<{ role: string }>('SELECT quote_ident(current_user) AS role');
  const { role } = rows[0]!;
  return new Problem(
    'permission-denied',
    `the ledger at ${address}: ${message}`,
    `GRANT USAGE ON SCHEMA sluice TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO ${role}`,
  );
}
