// Connects the example's programs to the example's database.
import { readFileSync } from 'node:fs';
import pg from 'pg';

/**
 * Returns a client that reads PGHOST, PGPORT, PGUSER and PGPASSWORD. The driver does not read
 * PGSSLROOTCERT, so this function passes that CA to it.
 */
export function clientOf(config: pg.ClientConfig): pg.Client {
  const ca = process.env['PGSSLROOTCERT'];
  return new pg.Client({ ...config, ...(ca ? { ssl: { ca: readFileSync(ca) } } : {}) });
}
