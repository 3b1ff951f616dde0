// Opens connections to the target. This is the database that contains the result, the sink's table,
// the view and the lease row. The sessions have the same settings as sessions on the source.
import { hasTarget, targetPostgres } from '../../domain/migration/databases.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { durationMs } from '../../domain/values/duration.js';
import {
  closing,
  openAddress,
  readSource,
  withSource,
  type ResolveSecret,
  type SourceClient,
  type SourceOptions,
} from './connection.js';

/** Opens a connection to the target. The caller MUST end the client. */
export async function openTarget(
  { spec, metadata }: Pick<MigrationSpec, 'spec' | 'metadata'>,
  secret: ResolveSecret,
  options: SourceOptions = {},
): Promise<SourceClient> {
  return openAddress(targetPostgres({ spec }), secret, `sluice/${metadata.name}`, {
    statementTimeoutMs: durationMs(spec.source.limits.statementTimeout),
    ...options,
  });
}

/** Opens a connection to the target, runs `use`, and always closes the connection. */
export async function withTarget<T>(
  spec: Pick<MigrationSpec, 'spec' | 'metadata'>,
  secret: ResolveSecret,
  use: (client: SourceClient) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> {
  return closing(await openTarget(spec, secret, options), use);
}

/** Does the same as `withTarget` in a read-only session. */
export const readTarget = <T>(
  spec: Pick<MigrationSpec, 'spec' | 'metadata'>,
  secret: ResolveSecret,
  use: (client: SourceClient) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> => withTarget(spec, secret, use, { ...options, readOnly: true });

/** Sessions on both databases of a migration. They are one session if the source is the target. */
export interface Databases {
  readonly source: SourceClient;
  readonly target: SourceClient;
}

/**
 * Opens connections to both databases, runs `use`, and always closes the connections. If the source
 * is not the target, the session on the source is read-only.
 */
export const withDatabases = <T>(
  spec: MigrationSpec,
  secret: ResolveSecret,
  use: (databases: Databases) => Promise<T>,
  options: SourceOptions = {},
): Promise<T> =>
  hasTarget(spec)
    ? withTarget(
        spec,
        secret,
        (target) => readSource(spec, secret, (source) => use({ source, target })),
        options,
      )
    : withSource(spec, secret, (source) => use({ source, target: source }), options);

/** Does the same as `withDatabases` in read-only sessions. */
export const readDatabases = <T>(
  spec: MigrationSpec,
  secret: ResolveSecret,
  use: (databases: Databases) => Promise<T>,
): Promise<T> => withDatabases(spec, secret, use, { readOnly: true });
