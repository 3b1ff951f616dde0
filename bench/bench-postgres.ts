/** Returns the part `postgres` of a spec, for a database on the server that the environment names. */
export function benchPostgres(database: string) {
  const { PGHOST: host, PGPORT: port, PGUSER: user } = process.env;
  return { host, port: Number(port), database, user, passwordFrom: { env: 'PGPASSWORD' } };
}
