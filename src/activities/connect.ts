// Connectors: created STOPPED, configuration read back, then resumed; the initial load watched through Debezium's notifications.
import { rangeOf } from '../clients/record-batch.js';
import { handedOverConfig, debeziumPostgresConfig } from '../connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../connectors/jdbc-sink.js';
import type { ConnectRest } from '../clients/connect-rest.js';
import { durationMs } from '../domain/duration.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef, OwnedObject, TableProgress } from '../domain/ledger.js';
import { namesOf } from '../domain/names.js';
import { foldNotifications, type SnapshotNotification } from '../domain/snapshot-progress.js';
import type { Deps } from './deps.js';
import { ensureOwned, removeOwned } from './owned.js';
import { pause, pollUntil } from './patience.js';

export type ConnectorRole = 'source' | 'sink';

const STATE_TIMEOUT_MS = 60_000;
const FAILED_LIMIT_MS = 90_000;

export function createConnectActivities({ ledger, systems }: Deps) {
  return {
    /** Idempotent. A connector of that name with another configuration is Problem `connector-drift`, never overwritten. */
    async ensureConnector(ref: MigrationRef, role: ConnectorRole): Promise<void> {
      const rest = systems.connect(ref.spec);
      const { name, config } = wanted(ref, role);
      await ensureOwned(
        ledger,
        ref,
        { kind: 'connector', name, where: ref.spec.spec.connector.url },
        {
          exists: async () => (await rest.config(name)) !== null,
          create: async () => {
            await rest.createStopped(name, config);
            await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => ((await rest.config(name)) === null ? null : true)); // the herder reads its own config topic
          },
        },
      );
      const drift = driftOf(config, await rest.config(name));
      if (drift.length > 0) throw new Problem('connector-drift', `connector ${name} differs from the plan in ${drift.join(', ')}`);
    },

    /** Resumes and waits until connector and task run. */
    async resumeConnector(ref: MigrationRef, role: ConnectorRole): Promise<void> {
      const rest = systems.connect(ref.spec);
      const { name } = wanted(ref, role);
      await rest.resume(name);
      await untilRunning(rest, name);
    },

    /** Folds the notification topic until every table's scan is reported SUCCEEDED. Heartbeats progress; safe to repeat. */
    async watchSnapshot(ref: MigrationRef, totals: Readonly<Record<string, number>>): Promise<TableProgress[]> {
      const { notificationTopic, connector, topicPrefix } = namesOf(ref.spec, ref.generation);
      const kafka = systems.kafka(ref.spec);
      const rest = systems.connect(ref.spec);
      let failedSince = 0;
      const deadline = Date.now() + durationMs(ref.spec.spec.catchUp.timeout);
      for (;;) {
        const notifications: SnapshotNotification[] = [];
        const end = (await kafka.offsets(notificationTopic))[0];
        if (end) {
          await kafka.readRange(notificationTopic, 0, end.low, end.high, (_offset, bytes, _keyStart, _keyEnd, start, end) => {
            const value = rangeOf(bytes, start, end);
            if (value) notifications.push(JSON.parse(value.toString()) as SnapshotNotification);
          });
        }
        const progress = foldNotifications(notifications, ref.spec.spec.source.tables, totals, topicPrefix);
        if (progress.failure) throw new Problem('snapshot-failed', progress.failure);
        if (progress.completed) return progress.tables;
        const failure = await taskFailure(rest, connector);
        failedSince = failure === null ? 0 : failedSince || Date.now();
        if (failure !== null && Date.now() - failedSince > FAILED_LIMIT_MS) throw new Problem('connector-failed', `${connector}: ${failure}`);
        if (Date.now() > deadline) throw new Problem('catch-up-timeout', `the initial load is not complete after ${ref.spec.spec.catchUp.timeout}`);
        await pause(500, { phase: 'connect', tables: progress.tables });
      }
    },

    /** At complete: the connector goes on without the scaffolding topics. Idempotent; waits until it runs again. */
    async handOverConnector(ref: MigrationRef): Promise<void> {
      const rest = systems.connect(ref.spec);
      const { connector } = namesOf(ref.spec, ref.generation);
      const config = handedOverConfig(ref.spec, ref.generation);
      if (driftOf(config, await rest.config(connector)).length > 0) await rest.putConfig(connector, config);
      await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => (driftOf(config, await rest.config(connector)).length === 0 ? true : null));
      await untilRunning(rest, connector);
    },

    /** Stop, forget offsets, delete: offsets would outlive the connector and a later one of that name would resume from them. */
    async removeConnector(ref: MigrationRef, object: OwnedObject): Promise<void> {
      const rest = systems.connect(ref.spec);
      await removeOwned(
        ledger,
        ref,
        object,
        async () => (await rest.config(object.name)) !== null,
        async () => {
          await rest.stop(object.name);
          const stopped = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => {
            const status = await rest.status(object.name);
            return status === null || (status.connector.state === 'STOPPED' && status.tasks.length === 0) ? true : null;
          });
          if (!stopped) throw new Problem('clean-up', `connector ${object.name} does not stop`);
          await deleteOffsets(rest, object.name);
          await rest.delete(object.name);
          await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => ((await rest.config(object.name)) === null ? true : null));
        },
      );
    },
  };
}

function wanted(ref: MigrationRef, role: ConnectorRole): { name: string; config: Record<string, string> } {
  const names = namesOf(ref.spec, ref.generation);
  return role === 'source'
    ? { name: names.connector, config: debeziumPostgresConfig(ref.spec, ref.generation) }
    : { name: names.sinkConnector, config: jdbcSinkConfig(ref.spec, ref.generation) };
}

/** Keys in which the stored configuration differs from ours (`name` is Connect's own addition). */
export function driftOf(ours: Readonly<Record<string, string>>, stored: Readonly<Record<string, string>> | null): string[] {
  if (!stored) return ['(missing)'];
  const keys = new Set([...Object.keys(ours), ...Object.keys(stored)]);
  keys.delete('name');
  return [...keys].filter((key) => ours[key] !== stored[key]).sort();
}

async function untilRunning(rest: ConnectRest, name: string): Promise<void> {
  let last = 'no status';
  const running = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => {
    const status = await rest.status(name);
    last = status ? `${status.connector.state}, tasks ${status.tasks.map((t) => t.state).join(' ') || 'none'}` : 'no status';
    return status?.connector.state === 'RUNNING' && status.tasks.length > 0 && status.tasks.every((t) => t.state === 'RUNNING') ? true : null;
  });
  if (!running) throw new Problem('connector-failed', `${name} does not run: ${last}; ${(await taskFailure(rest, name)) ?? ''}`);
}

/** First line of the trace of a failed connector or task; null when nothing is FAILED (which proves nothing: see barriers). */
export async function taskFailure(rest: ConnectRest, name: string): Promise<string | null> {
  const status = await rest.status(name);
  if (!status) return null;
  const failed = [status.connector, ...status.tasks].find((part) => part.state === 'FAILED');
  return failed ? rootCause(failed.trace ?? 'FAILED without trace') : null;
}

function rootCause(trace: string): string {
  const causes = trace.split('\n').filter((line) => line.startsWith('Caused by: '));
  return (causes.at(-1)?.slice('Caused by: '.length) ?? trace.split('\n')[0]!).slice(0, 400);
}

/** A connector that never ran has none, and Connect fails with an internal error when it is asked to delete them. */
async function deleteOffsets(rest: ConnectRest, name: string): Promise<void> {
  if (await rest.hasOffsets(name)) await rest.deleteOffsets(name);
}
