// Tests that the position of Sluice's JDBC source never passes a row that it has not read. The
// servers are real, but no migration runs.
import { describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { capturesOf } from '../../src/domain/capture/index.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { aSpec, sleepUntil } from '../support/builders.js';
import { aTopic, dropConnector } from '../support/live.js';
import { kafkaPort } from '../support/access.js';
import { polling, records } from '../support/polled.js';
import { freshDatabase, testPostgres, withDatabase } from '../support/sluice.js';

type Config = Readonly<Record<string, string>>;

const COUNTED = 'CREATE TABLE counted (id bigint PRIMARY KEY); INSERT INTO counted VALUES (1);';
const ROLE = `poller_${process.pid}`;
const DELAY_MS = 3000;
const LIMIT_MS = 60_000;
const rest = new ConnectRest(process.env['CONNECT_URL']!);

/** Starts to poll `public.counted` by its ids. `change` may edit the connector's configuration. */
async function poll(
  name: string,
  database: string,
  change: (config: Config) => Config = (config) => config,
): Promise<{ connector: string; ids: () => Promise<number[]> }> {
  const spec = aSpec({
    name,
    tables: ['public.counted'],
    spec: {
      ...polling({ mode: 'incrementing', timestampColumns: undefined, delay: `${DELAY_MS}ms` }),
      source: { postgres: testPostgres(database), tables: ['public.counted'] },
    },
  });
  const capture = capturesOf(spec, 1)[0]!;
  const shape = { columns: [{ name: 'id', type: 'int8' }], key: ['id'] };
  const config = jdbcSourceConfig(spec, pollingOf(spec), capture, shape, JDBC_PLUGINS[0]!);
  const port = kafkaPort();
  await aTopic(port, capture.topic);
  await rest.createStopped(capture.connector, change(config));
  await rest.resume(capture.connector);
  return {
    connector: capture.connector,
    ids: async () =>
      (await records(port, capture.topic)).map(({ key }) => (JSON.parse(key) as { id: number }).id),
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("the position of Sluice's JDBC source", () => {
  it('moves past an id only after the delay, even if the poll that read the id had to wait for a lock', async () => {
    const database = await freshDatabase(COUNTED);
    const { connector, ids } = await poll('locked-poll', database.name);
    await sleepUntil('row 1', async () => (await ids()).length === 1, LIMIT_MS);
    await withDatabase(database.name, async (locker) => {
      await locker.query(
        'BEGIN; LOCK TABLE counted IN ACCESS EXCLUSIVE MODE; INSERT INTO counted VALUES (3)',
      );
      const waits = async (): Promise<boolean> => {
        const { rows } = await database.client.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
          [connector],
        );
        return rows.length > 0;
      };
      await sleepUntil('the poll waits for the lock', waits, LIMIT_MS);
      await sleep(DELAY_MS + 500);
      await locker.query('COMMIT');
    });
    // Row 2 is committed after the poll has read row 3, but within the delay.
    await sleep(DELAY_MS / 3);
    await database.client.query('INSERT INTO counted VALUES (2)');
    await sleepUntil('row 3', async () => (await ids()).includes(3), LIMIT_MS);
    expect(await ids()).toEqual([1, 2, 3]);
    await dropConnector(rest, connector);
    await database.drop();
  });

  it('never passes rows that row security hides: the task fails, and reads them once its role may see them', async () => {
    const database = await freshDatabase(
      `${COUNTED} CREATE ROLE ${ROLE} LOGIN PASSWORD 'polls'; GRANT SELECT ON counted TO ${ROLE}`,
    );
    const { connector, ids } = await poll('hidden-rows', database.name, (config) => ({
      ...config,
      // This removes the session options that Sluice adds to the URL. Without them, the plugin
      // itself must notice that rows are hidden.
      'connection.url': config['connection.url']!.replace(/&options=[^&]*/, ''),
      'connection.user': ROLE,
      'connection.password': 'polls',
    }));
    await sleepUntil('row 1', async () => (await ids()).length === 1, LIMIT_MS);
    await database.client.query(
      `BEGIN; ALTER TABLE counted ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON counted USING (id % 2 = 0);
       INSERT INTO counted VALUES (3), (4); COMMIT`,
    );
    const task = async () => (await rest.status(connector))?.tasks[0];
    await sleepUntil('a failed task', async () => (await task())?.state === 'FAILED', LIMIT_MS);
    expect((await task())?.trace).toContain('SQLSTATE 42501');
    expect(await ids()).toEqual([1]);
    await database.client.query(`ALTER ROLE ${ROLE} BYPASSRLS`);
    await rest.restartFailed(connector);
    await sleepUntil('row 4', async () => (await ids()).includes(4), LIMIT_MS);
    expect(await ids()).toEqual([1, 3, 4]);
    await dropConnector(rest, connector);
    await database.client.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
    await database.drop();
  });
});
