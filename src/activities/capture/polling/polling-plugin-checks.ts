// Checks whether Kafka Connect's JDBC plugin can do what the spec requires.
import type pg from 'pg';
import { ONLY_FROM_DEBEZIUM } from '../../../compare/types/further-types.js';
import type { JdbcPlugin, PolledColumn } from '../../../connectors/jdbc-source.js';
import type { Polling } from '../../../domain/capture/polling-settings.js';
import type { Capture } from '../../../domain/migration/names.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import type { Deps } from '../../runtime/deps.js';
import type { Answer } from '../../runtime/make-finding.js';
import { installedPlugin, polledShape } from './polled-shape.js';

const OTHER_PLUGIN = 'use the JDBC source that comes with Sluice (java/jdbc-source)';

/** Refuses a plugin whose stored position can move beyond rows that the plugin has not read. */
export async function pluginReadsEveryRow(
  deps: Pick<Deps, 'systems'>,
  spec: MigrationSpec,
  { mode }: Pick<Polling, 'mode'>,
): Promise<Answer> {
  const { connectorClass, skipsIn } = await installedPlugin(deps, spec);
  const why = skipsIn[mode];
  return why === undefined
    ? `${connectorClass} skips no row in mode ${mode}`
    : {
        detail: `${connectorClass} can skip rows in mode ${mode}, because ${why}`,
        remedy:
          'use connector.mode timestamp+incrementing, or the JDBC source that comes with Sluice (java/jdbc-source)',
      };
}

export async function pluginCarries(
  deps: Pick<Deps, 'systems'>,
  spec: MigrationSpec,
  client: pg.ClientBase,
  polling: Polling,
  capture: Capture,
): Promise<Answer> {
  const plugin = await installedPlugin(deps, spec);
  const { columns } = await polledShape(client, polling, capture);
  return carriedBy(plugin, polling, columns);
}

/** Checks that barriers can be proven in this mode, and that the plugin can carry these columns. */
export function carriedBy(
  plugin: JdbcPlugin,
  { mode }: Pick<Polling, 'mode'>,
  columns: readonly PolledColumn[],
): Answer {
  // The mode comes first, because no change of the columns would help.
  if (mode === 'bulk' && !plugin.countsPolls)
    return {
      detail: `${plugin.connectorClass} does not report when a complete poll ended, so no barrier can be proven`,
      remedy: `${OTHER_PLUGIN}, or another connector.mode than bulk`,
    };
  const arrays = columns.filter((c) => c.type.endsWith('[]')).map((c) => c.name);
  if (arrays.length > 0 && !plugin.carriesArrays)
    return {
      detail: `${plugin.connectorClass} cannot carry arrays: ${arrays.join(', ')}`,
      remedy: `${OTHER_PLUGIN}, or leave these columns out in a connector.query`,
    };
  const odd = columns.filter((c) => ONLY_FROM_DEBEZIUM.has(c.type)).map((c) => c.name);
  if (odd.length > 0)
    return {
      detail: `${plugin.connectorClass} writes ${odd.join(', ')} in a form that differs from Debezium's`,
      remedy: 'cast these columns to text in a connector.query',
    };
  return `${plugin.connectorClass} carries every column`;
}
