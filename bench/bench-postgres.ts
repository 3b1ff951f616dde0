/** Returns the part `postgres` of a spec, for a database on the server that the environment names. */
export function benchPostgres(database: string) {
  const { PGHOST: host, PGPORT: port, PGUSER: user, PGSSLROOTCERT: sslrootcert } = process.env;
  const tls = sslrootcert ? { sslmode: 'verify-full', sslrootcert } : {};
  return { host, port: Number(port), database, user, passwordFrom: { env: 'PGPASSWORD' }, ...tls };
}
