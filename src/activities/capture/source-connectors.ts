// Plans the source connectors with the columns that the database has now: one that reads the log,
// or one for each polled table or query.
import type pg from 'pg';
import { describeQuery, readKeyedTable } from '../../clients/postgres/catalog.js';
import { readSource } from '../../clients/postgres/connection.js';
import {
  POSTGRES_SOURCE_CLASS,
  debeziumPostgresConfig,
} from '../../connectors/debezium-postgres.js';
import {
  JDBC_PLUGINS,
  jdbcPlugin,
  jdbcSourceConfig,
  type JdbcPlugin,
  type PolledShape,
} from '../../connectors/jdbc-source.js';
import { Problem } from '../../domain/failure.js';
import { capturesOf, namesOf, type Capture } from '../../domain/migration/names.js';
import { resolve } from '../../domain/plan/resolve.js';
import { pollingOf, type Polling } from '../../domain/migration/polling.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { Deps } from '../runtime/deps.js';

export interface WantedConnector {
  readonly name: string;
  readonly connectorClass: string;
  readonly config: Readonly<Record<string, string>>;
}

const PLACEHOLDER = /^\$\{(env|file):(.+)\}$/;

/**
 * Connect resolves what `connector.config` names and sends it to the source: the same secrets and
 * hosts as for our own sessions.
 */
function allowPlaceholders({ secret }: Pick<Deps, 'secret'>, { spec }: MigrationSpec): void {
  for (const value of Object.values(spec.connector.config)) {
    const [, kind, name] = PLACEHOLDER.exec(value) ?? [];
    if (name)
      secret(kind === 'env' ? { env: name } : { file: name }, [spec.source.postgres.host], 'allow');
  }
}

/**
 * All of them, or the one of that name. Throws Problem `preflight-failed` when no JDBC source is
 * installed or a table is gone.
 */
export async function sourceConnectorConfigs(
  deps: Pick<Deps, 'secret' | 'systems'>,
  spec: MigrationSpec,
  generation: number,
  only?: string,
): Promise<WantedConnector[]> {
  const polling = pollingOf(spec);
  allowPlaceholders(deps, spec);
  if (!polling)
    return [
      {
        name: namesOf(spec, generation).connector,
        connectorClass: POSTGRES_SOURCE_CLASS,
        config: debeziumPostgresConfig(resolve({ spec, generation })),
      },
    ];
  const plugin = await installedPlugin(deps, spec);
  return readSource(spec, deps.secret, async (client) => {
    const wanted: WantedConnector[] = [];
    for (const capture of capturesOf(spec, generation)) {
      if (only !== undefined && capture.connector !== only) continue;
      const shape = await polledShape(client, polling, capture);
      wanted.push({
        name: capture.connector,
        connectorClass: plugin.connectorClass,
        config: jdbcSourceConfig(spec, polling, capture, shape, plugin),
      });
    }
    return wanted;
  });
}

export async function installedPlugin(
  { systems }: Pick<Deps, 'systems'>,
  spec: MigrationSpec,
): Promise<JdbcPlugin> {
  const plugin = jdbcPlugin(spec, await systems.connect(spec).pluginClasses());
  if (plugin) return plugin;
  const named = spec.spec.connector.config['connector.class'];
  throw new Problem(
    'preflight-failed',
    `no JDBC source is installed (${named ?? JDBC_PLUGINS.map((p) => p.connectorClass).join(', ')})`,
    'put the plugin on the plugin.path of every Connect worker and restart it',
  );
}

/** Throws Problem `preflight-failed` when the table, or its primary key, is gone. */
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
