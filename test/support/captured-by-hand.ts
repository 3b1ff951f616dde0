// Makes a capture as a person would without Sluice: a publication, topics, a connector and its
// slot. Migrations of the tests adopt this capture.
import type pg from 'pg';
import { sleepUntil } from './builders.js';
import { fetchConnect, kafkaPort, postgresTls } from './access.js';
import { askConnect } from './ask-connect.js';
import { aTopic } from './live.js';
import { blocksOf } from './pages.js';
import { testPostgres } from './sluice.js';

/** The settings of an adoptable connector, as docs/how-to/adopt-what-runs.md shows them. */
const SETTINGS = JSON.parse(blocksOf('docs/how-to/adopt-what-runs.md', 'json')[0]!) as Record<
  string,
  string
>;

/**
 * Returns a configuration such as the connector's owner may have chosen. `sql` is the name of the
 * slot and of the publication.
 */
const configOf = (name: string, sql: string, database: string): Record<string, string> => {
  const { host, port, user } = testPostgres(database) as Record<string, string | number>;
  const { sslmode, sslrootcert } = postgresTls();
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'database.hostname': String(host),
    'database.port': String(port),
    'database.user': String(user),
    'database.password': '${env:PGPASSWORD}',
    'database.dbname': database,
    ...(sslmode && sslrootcert
      ? { 'database.sslmode': sslmode, 'database.sslrootcert': sslrootcert }
      : {}),
    'topic.prefix': name,
    'slot.name': sql,
    'publication.name': sql,
    'publication.autocreate.mode': 'disabled',
    'schema.include.list': 'public',
    'table.include.list': 'public.accounts',
    ...SETTINGS,
    'heartbeat.interval.ms': '1000',
    'poll.interval.ms': '200',
  };
};

/**
 * Makes the capture of `public.accounts` in a database, and waits until the connector reads the
 * slot.
 */
export async function captureByHand(
  client: pg.Client,
  name: string,
  database: string,
): Promise<void> {
  const sql = name.replaceAll('-', '_');
  await client.query(`CREATE PUBLICATION ${sql} FOR TABLE accounts`);
  const kafka = kafkaPort();
  const compact = { 'cleanup.policy': 'compact' };
  await aTopic(kafka, `${name}.public.accounts`, 1, compact);
  await aTopic(kafka, `__debezium-heartbeat.${name}`, 1);
  await kafka.disconnect();
  const made = await askConnect('PUT', `${name}/config`, configOf(name, sql, database));
  if (!made.ok) throw new Error(await made.text());
  await sleepUntil('the connector reads its slot', async () => {
    const { rowCount } = await client.query(
      'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active',
      [sql],
    );
    return rowCount === 1;
  });
}

/** Returns what a rollback could remove or change: topic, slots, publications and configuration. */
export async function stateOf(client: pg.Client, name: string): Promise<object> {
  const kafka = kafkaPort();
  const topic = `${name}.public.accounts`;
  const topics = await kafka.describeTopics([topic], ['cleanup.policy']);
  await kafka.disconnect();
  const { rows } = await client.query(
    `SELECT slot_name::text AS name, plugin::text FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname::text, oid::text FROM pg_publication`,
  );
  const config = await (await fetchConnect(`/connectors/${name}/config`)).json();
  return { topic: topics.get(topic), rows, config };
}
