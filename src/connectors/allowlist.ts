// Lists the extra connector keys that a spec may set. The list is closed, because other keys could
// run SQL, load classes or silently lose rows.
import type { ConnectorSpec } from '../domain/migration/spec.js';
import { BARRIER_LIMIT_MS } from '../domain/capture/capture.js';
import { JDBC_PLUGINS } from './jdbc-source.js';

const ALLOWED: Readonly<Record<string, string>> = {
  'max.batch.size': 'records per batch',
  'max.queue.size': 'records in the queue',
  'poll.interval.ms': 'pause between polls',
  'snapshot.fetch.size': 'rows per fetch of the initial snapshot',
  'snapshot.max.threads': 'threads of the initial snapshot',
  'status.update.interval.ms': 'pause between confirmations of the slot position',
  'heartbeat.interval.ms': 'pause between heartbeats',
  'extended.headers.enabled': 'true for the context headers that lineage tools read',
  'slot.failover': 'true for a slot that the server copies to its standbys (Postgres 17 and later)',
  'slot.max.retries': 'retries to attach to the slot',
  'slot.retry.delay.ms': 'pause between those retries',
  'database.user': 'a separate login for the connector: see docs/reference/permissions.md',
  'database.password': 'only a ${provider:...} placeholder',
  'database.sslrootcert': 'path on the Connect worker',
  'database.tcpKeepAlive': 'true or false',
  'errors.max.retries': 'retries of retriable errors',
  'retriable.restart.connector.wait.ms': 'pause before a retriable restart',
};

/** The keys that a spec may set for a jdbc-source. */
const ALLOWED_JDBC: Readonly<Record<string, string>> = {
  'connector.class': 'which of several installed JDBC sources',
  'poll.interval.ms': 'pause between polls',
  'batch.max.rows': 'rows per batch',
  'connection.password': 'only a ${provider:...} placeholder',
};

const ALLOWED_FOR: Readonly<Record<ConnectorSpec['type'], Readonly<Record<string, string>>>> = {
  'debezium-postgres': ALLOWED,
  'jdbc-source': ALLOWED_JDBC,
};

/**
 * Returns whether a key does not change what is captured. The value of such a key may change while
 * windows run.
 */
export const isTuning = ({ type }: Pick<ConnectorSpec, 'type'>, key: string): boolean =>
  key !== 'connector.class' && Object.hasOwn(ALLOWED_FOR[type], key);

const isHeartbeat = (value: string): boolean =>
  /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= BARRIER_LIMIT_MS;

const PLACEHOLDER = /^\$\{[a-z]+:[^}]+\}$/;

/** Returns the problems of `connector.config`. Each has the path of its key in the spec. */
export function checkExtraConfig({
  type,
  config,
}: Pick<ConnectorSpec, 'type' | 'config'>): { path: string[]; message: string }[] {
  const allowed = ALLOWED_FOR[type];
  const problems: { path: string[]; message: string }[] = [];
  for (const [key, value] of Object.entries(config)) {
    const path = ['spec', 'connector', 'config', key];
    if (!Object.hasOwn(allowed, key)) {
      problems.push({
        path,
        message: `"${key}" is not a key that a spec may set (${Object.keys(allowed).join(', ')})`,
      });
    } else if (
      key === 'connector.class' &&
      !JDBC_PLUGINS.some((plugin) => plugin.connectorClass === value)
    ) {
      problems.push({
        path,
        message: `not one of ${JDBC_PLUGINS.map((plugin) => plugin.connectorClass).join(', ')}`,
      });
    } else if (key === 'slot.failover' && value !== 'true' && value !== 'false') {
      problems.push({ path, message: `"${value}" is neither true nor false` });
    } else if (key === 'heartbeat.interval.ms' && !isHeartbeat(value)) {
      problems.push({
        path,
        message: `"${value}" is not a number from 1 to ${BARRIER_LIMIT_MS}: windows wait at most that long for a heartbeat, and without heartbeats, the slot of a quiet database keeps ever more WAL`,
      });
    } else if (key.endsWith('.password') && !PLACEHOLDER.test(value)) {
      problems.push({
        path,
        message:
          'a literal password is not allowed; use a placeholder of a config provider, such as ${env:NAME}',
      });
    } else if (!key.endsWith('.password') && value.includes('${')) {
      problems.push({ path, message: 'placeholders are only allowed for the password' });
    }
  }
  return problems;
}
