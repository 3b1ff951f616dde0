// The address of the source for connectors that speak JDBC.
import type { PostgresAddress } from '../domain/migration/spec.js';

/** `sslmode` and its files, as the PostgreSQL JDBC driver and Debezium name them. */
export function sslOf({
  sslmode,
  sslrootcert,
  sslcert,
  sslkey,
}: PostgresAddress): Readonly<Record<string, string>> {
  return {
    sslmode: sslmode === 'require' && sslrootcert ? 'verify-ca' : sslmode, // libpq verifies then, the JDBC driver would not
    ...(sslrootcert ? { sslrootcert } : {}),
    ...(sslcert && sslkey ? { sslcert, sslkey } : {}),
  };
}

/** `options` = settings of the session from its start on, as `-c name=value`. */
export function jdbcUrl(postgres: PostgresAddress, application: string, options?: string): string {
  const host = postgres.host.includes(':')
    ? `[${postgres.host.replace(/^\[|\]$/g, '')}]`
    : postgres.host;
  const { sslmode, ...files } = sslOf(postgres);
  const parameters = {
    sslmode: sslmode!,
    ApplicationName: application,
    ...files,
    ...(options ? { options } : {}),
  };
  const query = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `jdbc:postgresql://${host}:${postgres.port}/${encodeURIComponent(postgres.database)}?${query.join('&')}`;
}
