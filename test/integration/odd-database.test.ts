// Tests connectors that get the URL of a database, if the database's name has characters with a
// meaning in URLs.
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { POSTGRES_SOURCE_CLASS, handedOverConfig } from '../../src/connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { capturesOf } from '../../src/domain/capture/index.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { quoteIdent } from '../../src/domain/migration/names.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { kafkaPort } from '../support/access.js';
import { BATCH_PARTS, aPlan, aSpec, sleepUntil } from '../support/builders.js';
import { withDatabase } from '../support/databases.js';
import { aTopic, dropConnector, produceRecord } from '../support/live.js';
import { polling, records } from '../support/polled.js';
import { testPostgres } from '../support/sluice.js';

const NAME = `odd a?b+c/d#e&f ä%41 \${env:PGUSER} ${process.pid}`;
const POLLED = { mode: 'bulk', timestampColumns: undefined, incrementingColumn: undefined };

const rest = new ConnectRest(process.env['CONNECT_URL']!);

beforeAll(async () => {
  await withDatabase('postgres', (admin) => admin.query(`CREATE DATABASE ${quoteIdent(NAME)}`));
  await withDatabase(NAME, (client) =>
    client.query(
      'CREATE TABLE t (day int PRIMARY KEY, total text); INSERT INTO t VALUES (1, $$polled$$); CREATE TABLE s (day int PRIMARY KEY, total text)',
    ),
  );
  return () =>
    withDatabase('postgres', async (admin) => {
      await admin.query(`DROP DATABASE ${quoteIdent(NAME)} WITH (FORCE)`);
    });
});

describe('a database whose name has characters with a meaning in URLs', () => {
  // The spec refuses ${ in a name. The URL must be right even without this rule.
  const spec = aSpec({
    name: 'odd-database',
    tables: ['public.t'],
    spec: {
      ...BATCH_PARTS,
      ...polling({ ...POLLED, delay: undefined }),
      sink: { type: 'jdbc-sink', table: 'public.s' },
      cutover: { route: { type: 'none' } },
      source: { postgres: testPostgres('bank'), tables: ['public.t'] },
    },
  });
  const { source } = spec.spec;
  const postgres = { ...source.postgres, database: NAME };
  const odd = { ...spec, spec: { ...spec.spec, source: { ...source, postgres } } };

  it('is found by the polling source', async () => {
    const port = kafkaPort();
    const [capture] = capturesOf(odd, 1);
    const mine = { ...capture!, connector: 'odd-source', topic: 'odd-source' };
    await aTopic(port, mine.topic);
    const shape = {
      columns: [
        { name: 'day', type: 'int4' },
        { name: 'total', type: 'text' },
      ],
      key: ['day'],
    };
    const config = jdbcSourceConfig(odd, pollingOf(odd), mine, shape, JDBC_PLUGINS[0]!);
    try {
      await rest.createStopped(mine.connector, config);
      await rest.resume(mine.connector);
      await sleepUntil('the row', async () => (await records(port, mine.topic)).length > 0);
      expect((await records(port, mine.topic))[0]!.value).toContain('polled');
    } finally {
      await dropConnector(rest, mine.connector);
    }
  });

  it('is found by the sink', async () => {
    const field = (name: string, type: string) => ({ field: name, type, optional: false });
    const record = (fields: object[], payload: object) =>
      JSON.stringify({ schema: { type: 'struct', optional: false, fields }, payload });
    const value = record([field('total', 'string')], { total: 'stream' });
    await aTopic(kafkaPort(), 'odd-sink');
    await produceRecord(
      'odd-sink',
      record([field('day', 'int32')], { day: 1 }),
      Buffer.from(value),
    );
    const config = { ...jdbcSinkConfig(resolve({ spec: odd, generation: 1 })), topics: 'odd-sink' };
    try {
      await rest.createStopped('odd-sink', config);
      await rest.resume('odd-sink');
      const rows = () =>
        withDatabase(NAME, async (client) => (await client.query('SELECT * FROM s')).rows);
      await sleepUntil('the row', async () => (await rows()).length > 0);
      expect(await rows()).toEqual([{ day: 1, total: 'stream' }]);
    } finally {
      await dropConnector(rest, 'odd-sink');
    }
  });
});

describe('the database of a Debezium connector', () => {
  const plain = `odd a#b&c;ä ${process.pid}`;
  const validated = (database: string): Promise<string[] | null> => {
    const source = { postgres: testPostgres('bank'), tables: ['public.t'] };
    const plan = aPlan({ name: 'odd-log', spec: { source } });
    const config = { ...handedOverConfig(plan), 'database.dbname': database };
    return rest.validate(POSTGRES_SOURCE_CLASS, config);
  };

  beforeAll(async () => {
    await withDatabase('postgres', (admin) => admin.query(`CREATE DATABASE ${quoteIdent(plain)}`));
    return () =>
      withDatabase('postgres', async (admin) => {
        await admin.query(`DROP DATABASE ${quoteIdent(plain)} WITH (FORCE)`);
      });
  });

  it('is found if the spec accepts its name', async () => {
    expect(await validated(plain)).toEqual([]);
  });

  it('would be a different one if its name had a plus sign, so the spec refuses such a name', async () => {
    const missing = plain.replaceAll(' ', '+');
    await expect(withDatabase(missing, () => Promise.resolve())).rejects.toThrow('does not exist');
    expect(await validated(missing)).toEqual([]);
  });
});
