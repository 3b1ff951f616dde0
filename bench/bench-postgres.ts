/**
 * Returns the section `source.postgres` of a spec. PGHOST and similar variables name the server.
 */
export function benchPostgres(database: string) {
  const { PGHOST: host, PGPORT: port, PGUSER: user, PGSSLROOTCERT: sslrootcert } = process.env;
  const tls = sslrootcert ? { sslmode: 'verify-full', sslrootcert } : {};
  return { host, port: Number(port), database, user, passwordFrom: { env: 'PGPASSWORD' }, ...tls };
}
