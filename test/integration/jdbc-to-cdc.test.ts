// Runs steps of docs/how-to/from-jdbc-to-cdc.md on real servers, while a writer is active. No row
// is lost or wrong, and deletes arrive afterwards.
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { capturesOf } from '../../src/domain/capture/index.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { aSpec, sleepUntil } from '../support/builders.js';
import { aTopic, dropConnector } from '../support/live.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';

const COLUMNS = [
  { name: 'id', type: 'int8' },
  { name: 'total', type: 'numeric' },
  { name: 'changed', type: 'timestamptz' },
];
let kafka: KafkaPort;
let rest: ConnectRest;
beforeAll(() => {
  kafka = new KafkaPort(
    { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1, tls: false },
    () => '',
  );
  rest = new ConnectRest(process.env['CONNECT_URL']!);
});

describe('a topic that was filled by polling', () => {
  it("switches to change capture while rows are written, and ends with the table's row for each key", async () => {
    const database =
      await freshDatabase(`CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL, changed timestamptz NOT NULL DEFAULT clock_timestamp());
      INSERT INTO orders SELECT g, g * 1.10 FROM generate_series(1, 5000) g; CREATE PUBLICATION sluice_orders_cdc FOR TABLE orders`);
    const source = { postgres: testPostgres(database.name), tables: ['public.orders'] };
    const url = process.env['CONNECT_URL'];
    const polled = aSpec({
      name: 'orders',
      spec: {
        source,
        connector: {
          type: 'jdbc-source',
          url,
          mode: 'timestamp+incrementing',
          incrementingColumn: 'id',
          timestampColumns: ['changed'],
          delay: '500ms',
          deletes: 'none',
        },
      },
    });
    const captured = aSpec({
      name: 'orders-cdc',
      spec: { source, connector: { type: 'debezium-postgres', url, topicPrefix: 'orders' } },
    });
    const [capture] = capturesOf(polled, 1);
    const { topic, connector } = capture!;
    await aTopic(kafka, topic, 2, { 'cleanup.policy': 'compact' });
    for (const other of ['orders.heartbeat.orders', 'orders.notifications'])
      await aTopic(kafka, other);
    await rest.createStopped(
      connector,
      jdbcSourceConfig(
        polled,
        pollingOf(polled),
        capture!,
        { columns: COLUMNS, key: ['id'] },
        JDBC_PLUGINS[0]!,
      ),
    );
    await rest.resume(connector);
    await sleepUntil('the initial load', async () => (await fold(topic)).size === 5000);

    let writing = true;
    let written = 0;
    const writer = (async () => {
      for (; writing; written += 1) {
        await database.client.query(
          `UPDATE orders SET total = total + 1, changed = clock_timestamp() WHERE id = ${1 + (written % 50)}; INSERT INTO orders VALUES (${10_000 + written}, 1)`,
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await sleepUntil('polled rows of the writer', async () => (await fold(topic)).size > 5050);
    // polling cannot see this update, because it does not change the column `changed`
    await database.client.query('UPDATE orders SET total = 7 WHERE id = 4000');
    await rest.stop(connector);
    await sleepUntil('the connector has stopped', async () => {
      const status = await rest.status(connector);
      return status?.connector.state === 'STOPPED' && status.tasks.length === 0;
    });
    const {
      'notification.enabled.channels': _channels,
      'notification.sink.topic.name': _topic,
      ...config
    } = debeziumPostgresConfig(resolve({ spec: captured, generation: 1 }));
    await rest.createStopped('orders-cdc', {
      ...config,
      'message.prefix.include.list': 'sluice-none',
    });
    await rest.resume('orders-cdc');
    // The update of row 4000 can only come from the connector that reads the WAL. From now on, that
    // connector also sees deletes.
    await sleepUntil('the row from Debezium', async () => (await fold(topic)).get('4000') === 7);
    await database.client.query('DELETE FROM orders WHERE id = 4001');
    writing = false;
    await writer;
    const { rows } = await database.client.query<{ id: string; total: string }>(
      'SELECT id, total FROM orders',
    );
    const table = new Map(rows.map(({ id, total }) => [id, Number(total)]));
    await sleepUntil('the topic to hold what the table holds', async () => {
      const found = await fold(topic);
      return (
        found.size === table.size && [...table].every(([id, total]) => found.get(id) === total)
      );
    });
    expect(table.get('4000')).toBe(7);
    for (const name of ['orders-cdc', connector]) await dropConnector(rest, name);
    const idle = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'sluice_orders_cdc' AND NOT active`;
    await sleepUntil(
      'the slot is idle',
      async () => (await database.client.query(idle)).rows.length === 1,
    );
    await database.drop();
  });
});

/** Returns the topic's last value of each key: id → total. Every record must be readable. */
async function fold(topic: string): Promise<Map<string, number>> {
  const folded = new OutputFold({ key: ['id'], columns: COLUMNS }, 'after');
  await readTopic(kafka, topic, ({ key, value }) => void folded.add(key, value));
  expect(folded.unreadable).toBe(0);
  return new Map(
    [...folded.rows].map(([key, { row }]) => [
      (JSON.parse(key) as string[])[0]!,
      Number((JSON.parse(row!) as string[])[1]),
    ]),
  );
}
