// Opens connections to the source and to other Postgres databases. By default, each connection has
// the same settings, such as lock_timeout 2 s, UTC and ISO output. The spec chooses the
// statement_timeout of connections to the source and to the target.
import pg from 'pg';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationSpec, PostgresAddress, SecretRef } from '../../domain/migration/spec.js';
import { reportData } from '../progress.js';
import { refusePooler } from './pooler.js';
import { connectionsToTry, refusedThisKind } from './postgres-tls.js';

/**
 * Returns the text of a secret that will be sent to `hosts`. Throws Problem `permission-denied` if
 * a spec must not name the secret for these hosts. With the purpose `allow`, only checks this, and
 * returns an empty text. With the purpose `run`, returns the path of a program whose output may be
 * sent to the hosts.
 */
export type ResolveSecret = (
  secret: SecretRef,
  hosts: readonly string[],
  purpose?: 'read' | 'allow' | 'run',
) => string;
export type SourceClient = pg.Client;

export interface SourceOptions {
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** If true, the session accepts replication commands, but no statements with parameters. */
  readonly speaksReplication?: boolean;
  /** If true, the session is read-only, for SQL of a spec that must change nothing. */
  readonly readOnly?: boolean;
  /**
   * If true, row security hides rows as usual. Statements from the spec that change data need this.
   * If false, Postgres raises an error for a query to which row security would apply.
   */
  readonly appliesRowSecurity?: boolean;
  /** Settings that the session has from its start, as the connection's `options`. */
  readonly startup?: string;
  /** The purpose of a long session. It follows the migration's name in `application_name`. */
  readonly role?: 'witness';
}

const LOCK_TIMEOUT_MS = 2000;
const DEFAULT_STATEMENT_MS = 60_000;
// Values stay text, because the comparison needs the text that Postgres prints, not a JavaScript
// value.
const TEXT_ONLY = {
  getTypeParser:
    () =>
    (value: string): string =>
      value,
} as unknown as pg.CustomTypesConfig;

/** Opens a connection to the source, runs `use`, and always closes the connection. */
export async function withSource<T>(
  spec: MigrationSpec,
  secret: ResolveSecret,
  use: (client: SourceClient) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> {
  return closing(await openSource(spec, secret, options), use);
}

/** Runs `use`, and always closes the connection afterwards. */
export async function closing<T>(
  client: SourceClient,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> {
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Does the same as `withSource` in a read-only session. */
export const readSource = <T>(
  spec: MigrationSpec,
  secret: ResolveSecret,
  use: (client: SourceClient) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> => withSource(spec, secret, use, { ...options, readOnly: true });

/** Works like `withSource` for any address. The session's application_name is `application`. */
export async function withAddress<T>(
  address: PostgresAddress,
  secret: ResolveSecret,
  application: string,
  use: (client: SourceClient) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> {
  return closing(await openAddress(address, secret, application, options), use);
}

/** Opens a connection to the source. The caller MUST end the client. */
export async function openSource(
  { spec, metadata }: MigrationSpec,
  secret: ResolveSecret,
  options: SourceOptions = {},
): Promise<SourceClient> {
  const { postgres, limits } = spec.source;
  const name = `sluice/${metadata.name}`;
  return openAddress(postgres, secret, options.role ? `${name}/${options.role}` : name, {
    statementTimeoutMs: durationMs(limits.statementTimeout),
    ...options,
  });
}

/** Opens a connection to any address. The caller MUST end the client. */
export async function openAddress(
  address: PostgresAddress,
  secret: ResolveSecret,
  application: string,
  options: SourceOptions,
): Promise<SourceClient> {
  const replication = options.speaksReplication ? { replication: 'database' } : {};
  const startup = options.startup ? { options: options.startup } : {};
  const client = await connected(address, secret, {
    ...replication,
    ...startup,
    application_name: application.slice(0, 63),
  });
  const statementTimeout = options.statementTimeoutMs ?? DEFAULT_STATEMENT_MS;
  await client.query(
    `SET lock_timeout = ${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS}; SET statement_timeout = ${statementTimeout}; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; ` +
      `SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; SET extra_float_digits = 1; SET idle_in_transaction_session_timeout = '15min'` +
      (options.appliesRowSecurity ? '' : '; SET row_security = off') +
      (options.readOnly ? '; SET default_transaction_read_only = on' : ''),
  );
  return client;
}

/**
 * Refuses to send a password if the spec names no password. Otherwise, the driver would send the
 * worker's PGPASSWORD or a password from its .pgpass.
 */
function noPassword(): string {
  throw new Problem(
    'permission-denied',
    'the server asks for a password, but the spec names none',
    'add passwordFrom: { env: NAME } or { file: path }',
  );
}

/**
 * Tries the kinds of connection that `sslmode` allows, one after the other. Tries the next kind
 * only if the server refused the kind before it. Otherwise, rejects with the error.
 */
async function connected(
  address: PostgresAddress,
  secret: ResolveSecret,
  more: pg.ClientConfig,
): Promise<SourceClient> {
  const kinds = connectionsToTry(address, secret);
  for (const [at, ssl] of kinds.entries()) {
    const client = new pg.Client({ ...clientConfig(address, secret), ...more, ssl });
    client.on('error', () => undefined); // a lost connection surfaces at the next query
    try {
      await client.connect();
      reportData(client.connection.stream);
      await refusePooler(client, address);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (at === kinds.length - 1 || !refusedThisKind(error)) throw error;
    }
  }
  throw new Error('sslmode allows no kind of connection');
}

function clientConfig(
  postgres: PostgresAddress,
  secret: ResolveSecret,
): pg.ClientConfig & { sslnegotiation: string } {
  return {
    host: postgres.host,
    port: postgres.port,
    database: postgres.database,
    user: postgres.user,
    password: postgres.passwordFrom ? secret(postgres.passwordFrom, [postgres.host]) : noPassword,
    sslnegotiation: 'postgres', // otherwise, the variable PGSSLNEGOTIATION could change it
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: TEXT_ONLY,
  };
}

const WRITE_IDLE_MS = 15_000;

/**
 * Runs `use` in one transaction, and rolls back if `use` throws. `begin` is the statement that
 * begins it. If `begin` is `BEGIN`, the transaction may write. The server then ends it after
 * WRITE_IDLE_MS without a statement, for example because the worker stopped. If the locks of a
 * transaction make other sessions wait, use `heldTransaction`.
 */
export async function transaction<T>(
  client: pg.ClientBase,
  begin: string,
  use: () => Promise<T>,
): Promise<T> {
  await client.query(
    begin === 'BEGIN'
      ? `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${WRITE_IDLE_MS}`
      : begin,
  );
  try {
    const result = await use();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
