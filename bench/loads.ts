// Runs an initial load by a connector, or by Sluice's own copy, and measures it. The scenarios
// `jdbc-source` and `snapshot` use these loads.
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCopyActivities } from '../src/activities/capture/load/copy-tables.js';
import { Systems } from '../src/activities/runtime/deps.js';
import { ConnectRest } from '../src/clients/http/connect-rest.js';
import { KafkaPort } from '../src/clients/kafka/kafka.js';
import { Ledger } from '../src/clients/ledger/ledger.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../src/connectors/jdbc-source.js';
import { debeziumPostgresConfig } from '../src/connectors/debezium-postgres.js';
import { capturesOf } from '../src/domain/capture/index.js';
import { pollingOf } from '../src/domain/capture/polling.js';
import { namesOf } from '../src/domain/migration/names.js';
import type { MigrationSpec } from '../src/domain/migration/spec.js';
import { resolve } from '../src/domain/plan/resolve.js';
import { parseSpecObject } from '../src/manifest/parse.js';
import { resolveSecret } from '../src/wiring/config.js';
import { benchPostgres } from './bench-postgres.js';
import { COLUMNS, DATABASE, timed } from './joined-rows.js';

/**
 * Measures the milliseconds from the connector's start until the last row is committed in the
 * topic. Then removes the connector and the topics. `more` has more settings of the connector.
 */
export async function load(
  spec: MigrationSpec,
  rows: number,
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  const rest = new ConnectRest(spec.spec.connector.url!);
  const kafka = new KafkaPort(spec.spec.kafka, () => '');
  const [capture] = capturesOf(spec, 1);
  const polling = spec.spec.connector.type === 'jdbc-source' ? pollingOf(spec) : null;
  const config = polling
    ? jdbcSourceConfig(spec, polling, capture!, { columns: COLUMNS, key: ['id'] }, JDBC_PLUGINS[0]!)
    : debeziumPostgresConfig(resolve({ spec, generation: 1 }));
  const topics = [
    capture!.topic,
    ...(polling ? [] : [namesOf(spec, 1).notificationTopic, namesOf(spec, 1).heartbeatTopic]),
  ];
  for (const topic of topics) await kafka.createTopic(topic, 1, 1, {});
  await rest.createStopped(capture!.connector, { ...config, ...more });
  const started = Date.now();
  await rest.resume(capture!.connector);
  let [count, next] = [0, 0];
  while (count < rows) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { committed } = (await kafka.offsets(capture!.topic))[0]!;
    // Counting the records competes with the load, so it starts only near the end.
    if (committed < rows) continue;
    await kafka.readRange(capture!.topic, 0, next, committed, () => void (count += 1));
    next = committed;
  }
  const took = Date.now() - started;
  await rest.stop(capture!.connector);
  while ((await rest.status(capture!.connector))?.tasks.length)
    await new Promise((resolve) => setTimeout(resolve, 200));
  // a later connector of that name would continue from these offsets
  await rest.deleteOffsets(capture!.connector);
  await rest.delete(capture!.connector);
  for (const topic of topics) await kafka.deleteTopic(topic);
  await new Promise((resolve) => setTimeout(resolve, 3000)); // gives the slot's WAL sender time to end
  return took;
}

/**
 * Returns the milliseconds that `snapshot: copy` takes, from the creation of its slot until Kafka
 * has acknowledged the last row.
 */
export async function copyLoad(spec: MigrationSpec, rows: number): Promise<number> {
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const systems = new Systems(resolveSecret);
  const copying = createCopyActivities({
    secret: resolveSecret,
    ledger,
    systems,
    approvers: new Map(),
  });
  const { name } = spec.metadata;
  const ref = {
    name,
    iteration: 1,
    generation: 1,
    workflowId: name,
    runKey: name,
    planHash: '',
    spec,
  };
  const [capture] = capturesOf(spec, 1);
  await systems.kafka(spec).createTopic(capture!.topic, 1, 1, {});
  const took = await timed(() =>
    new MockActivityEnvironment().run(() => copying.copyTables(ref, { 'public.joined': rows })),
  );
  await systems.kafka(spec).deleteTopic(capture!.topic);
  await ledger.query('DELETE FROM sluice.object WHERE name = $1', [name]);
  await ledger.query('DELETE FROM sluice.copied WHERE run_key = $1', [name]);
  await Promise.all([systems.close(), ledger.close()]);
  return took;
}

export function specOf(name: string, polling: object | null): MigrationSpec {
  const { CONNECT_URL: url, KAFKA_BROKERS: brokers } = process.env;
  const connector = polling
    ? { type: 'jdbc-source', url, deletes: 'none', ...polling }
    : { type: 'debezium-postgres', url };
  const tables = polling
    ? ['public.orders', 'public.customers', 'public.stores']
    : ['public.joined'];
  const source = { postgres: benchPostgres(DATABASE), tables };
  const parsed = parseSpecObject({
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Migration',
    metadata: { name },
    spec: { source, connector, kafka: { brokers: [brokers] } },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec;
}
