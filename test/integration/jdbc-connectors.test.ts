// Tests connectors of Sluice's JDBC source without a migration: the types of the columns that they
// read, and restarts.
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { canonFromJson } from '../../src/compare/column-types.js';
import { parseJsonLossless } from '../../src/compare/json.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { capturesOf } from '../../src/domain/capture/index.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { askConnect } from '../support/ask-connect.js';
import { aSpec, sleepUntil } from '../support/builders.js';
import { aTopic, dropConnector } from '../support/live.js';
import { kafkaPort } from '../support/access.js';
import { polling, records } from '../support/polled.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';
import { COLUMN_TYPES, EVERYTHING, ROWS_OF_VALUES } from '../support/type-values.js';

let port: KafkaPort;
beforeAll(() => {
  port = kafkaPort();
});

const baseType = (type: string): string => {
  const base = type.replace(/\(.*\)$/, '').replaceAll('"', '');
  return (
    { char: type.startsWith('"') ? 'char' : 'bpchar', mood: 'enum', positive: 'int4' }[base] ?? base
  );
};

async function end(topic: string): Promise<number> {
  return (await port.offsets(topic))[0]!.high;
}

describe("Sluice's JDBC source", () => {
  it('gives the same value whether it reads a type itself or Postgres sends the value as text', async () => {
    const database = await freshDatabase(EVERYTHING);
    const spec = aSpec({
      name: 'as-text',
      tables: ['public.everything'],
      spec: {
        ...polling({
          mode: 'bulk',
          timestampColumns: undefined,
          incrementingColumn: undefined,
          delay: undefined,
        }),
        source: { postgres: testPostgres(database.name), tables: ['public.everything'] },
      },
    });
    const rest = new ConnectRest(process.env['CONNECT_URL']!);
    const catalog = [
      { name: 'id', type: 'int4' },
      ...COLUMN_TYPES.map((type, at) => ({ name: `c${at}`, type: baseType(type) })),
    ].filter((c) => !c.type.endsWith('[]'));
    const [own, wellKnown] = [JDBC_PLUGINS[0]!, JDBC_PLUGINS[1]!];
    const found: unknown[][] = [];
    for (const asText of [false, true]) {
      const [capture] = capturesOf(spec, 1);
      const mine = { ...capture!, connector: `as-text-${asText}`, topic: `as-text-${asText}` };
      await aTopic(port, mine.topic);
      await rest.createStopped(
        mine.connector,
        jdbcSourceConfig(
          spec,
          pollingOf(spec),
          mine,
          { columns: catalog, key: ['id'] },
          { ...own, asText: asText && wellKnown.asText },
        ),
      );
      await rest.resume(mine.connector);
      await sleepUntil(
        'all rows',
        async () => (await records(port, mine.topic)).length >= ROWS_OF_VALUES,
      );
      const images = (await records(port, mine.topic))
        .slice(0, ROWS_OF_VALUES)
        .map(
          (record) => (parseJsonLossless(record.value) as { after: Record<string, unknown> }).after,
        );
      found.push(
        images.map((image) => catalog.map(({ name, type }) => canonFromJson(type, image[name]))),
      );
      await dropConnector(rest, mine.connector);
    }
    expect(found[1]).toEqual(found[0]);
    await database.drop();
  });

  it('delivers every row once, although it restarts repeatedly during the load', async () => {
    const database = await freshDatabase(
      'CREATE TABLE many (id int PRIMARY KEY, changed timestamptz NOT NULL)',
    );
    const spec = aSpec({
      name: 'many',
      tables: ['public.many'],
      spec: {
        ...polling({ delay: '1s' }),
        source: { postgres: testPostgres(database.name), tables: ['public.many'] },
      },
    });
    const rest = new ConnectRest(process.env['CONNECT_URL']!);
    const [capture] = capturesOf(spec, 1);
    const shape = {
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'changed', type: 'timestamptz' },
      ],
      key: ['id'],
    };
    await aTopic(port, capture!.topic);
    await rest.createStopped(capture!.connector, {
      ...jdbcSourceConfig(spec, pollingOf(spec), capture!, shape, JDBC_PLUGINS[0]!),
      'batch.max.rows': '500',
    });
    await rest.resume(capture!.connector);
    for (let n = 0; n < 4; n += 1) {
      // new rows before each restart, so that every restart interrupts a load
      const before = await end(capture!.topic);
      await database.client.query(
        `INSERT INTO many SELECT g, timestamptz '2026-01-01' + (g / 5000) * interval '1 second' FROM generate_series(${n * 15_000 + 1}, ${(n + 1) * 15_000}) g`,
      );
      await sleepUntil('some more rows', async () => (await end(capture!.topic)) > before);
      await askConnect('POST', `${capture!.connector}/restart?includeTasks=true`);
      await database.client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${capture!.connector}'`,
      );
    }
    await sleepUntil(
      'the last row',
      async () => (await rest.offsets(capture!.connector))[0]?.['incrementing'] === 60000,
    );
    const ids = (await records(port, capture!.topic)).map(
      (record) => (JSON.parse(record.key) as { id: number }).id,
    );
    expect(ids.length).toBe(60_000);
    expect(new Set(ids).size).toBe(60_000);
    await dropConnector(rest, capture!.connector);
    await database.drop();
  });
});
