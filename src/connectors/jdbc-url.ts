// Builds the address of a database for connectors that use JDBC.
import type { PostgresAddress } from '../domain/migration/spec.js';

/**
 * Returns `sslmode` and the certificate files under the names that the PostgreSQL JDBC driver and
 * Debezium use.
 */
export function sslOf({
  sslmode,
  sslrootcert,
  sslcert,
  sslkey,
}: PostgresAddress): Readonly<Record<string, string>> {
  return {
    // with a root certificate, libpq verifies the server even for `require`; the JDBC driver does
    // not, so it gets `verify-ca`
    sslmode: sslmode === 'require' && sslrootcert ? 'verify-ca' : sslmode,
    ...(sslrootcert ? { sslrootcert } : {}),
    ...(sslcert && sslkey ? { sslcert, sslkey } : {}),
  };
}

/**
 * Returns the JDBC URL. `options` are settings that the session has from its start, written as `-c
 * name=value`.
 */
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
