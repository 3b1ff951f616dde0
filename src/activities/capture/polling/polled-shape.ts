// Reads the columns of a polled table or query from the database, and finds the JDBC plugin that
// Kafka Connect has installed.
import type pg from 'pg';
import { describeQuery, readKeyedTable } from '../../../clients/postgres/catalog.js';
import {
  JDBC_PLUGINS,
  jdbcPlugin,
  type JdbcPlugin,
  type PolledShape,
} from '../../../connectors/jdbc-source.js';
import { Problem } from '../../../domain/failure.js';
import type { Capture } from '../../../domain/migration/names.js';
import type { Polling } from '../../../domain/capture/polling-settings.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import type { Deps } from '../../runtime/deps.js';

/**
 * Returns the installed JDBC source plugin. Throws Problem `preflight-failed` if Kafka Connect has
 * no plugin that the spec allows.
 */
export async function installedPlugin(
  { systems }: Pick<Deps, 'systems'>,
  migration: MigrationSpec,
): Promise<JdbcPlugin> {
  const plugin = jdbcPlugin(migration, await systems.connect(migration).pluginClasses());
  if (plugin) return plugin;
  const named = migration.spec.connector.config['connector.class'];
  throw new Problem(
    'preflight-failed',
    `no JDBC source is installed (${named ?? JDBC_PLUGINS.map((p) => p.connectorClass).join(', ')})`,
    'put the plugin on the plugin.path of every Connect worker, and restart these workers',
  );
}

/**
 * Reads the columns and the key of a polled table or query. Throws Problem `preflight-failed` if
 * the table or its primary key does not exist.
 */
export async function polledShape(
  client: pg.ClientBase,
  polling: Polling,
  { subject }: Pick<Capture, 'subject'>,
): Promise<PolledShape> {
  if (polling.query !== null)
    return {
      columns: await describeQuery(client, polling.query),
      key: [polling.incrementingColumn!],
    };
  return readKeyedTable(client, subject);
}
