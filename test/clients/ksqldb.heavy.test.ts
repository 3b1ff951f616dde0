// Tests how Sluice uses ksqlDB, against a fake that speaks its protocol, or against a real server
// if KSQLDB_URL names one.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hostOf } from '../../src/activities/pipelines/index.js';
import type { PipelineHost } from '../../src/activities/pipelines/host.js';
import { KsqlDb } from '../../src/clients/http/ksqldb-rest.js';
import { ksqlPlan } from '../../src/domain/pipelines/ksql-statements.js';
import { BATCH_PARTS, aPlan } from '../support/builders.js';
import { FakeKsqlDb } from '../support/fake-ksqldb.js';

const real = process.env['KSQLDB_URL'];
const fake = new FakeKsqlDb();
let url = real ?? '';
beforeAll(async () => {
  if (!real) url = await fake.start();
});
afterAll(() => fake.stop());

const STATEMENTS = `SET 'auto.offset.reset' = 'earliest';
CREATE TABLE sluice_accounts (id BIGINT PRIMARY KEY, after STRUCT<balance STRING>) WITH (kafka_topic = '\${topic:public.accounts}', format = 'json', partitions = 1);
CREATE TABLE \`sluice_totals\` WITH (kafka_topic = '\${output}') AS SELECT id, after->balance AS total FROM sluice_accounts EMIT CHANGES;`;

const host = (sql = STATEMENTS): PipelineHost =>
  hostOf(
    aPlan({
      spec: {
        ...BATCH_PARTS,
        pipeline: {
          ...BATCH_PARTS.pipeline,
          type: 'ksqldb',
          groups: undefined,
          url,
          statements: { sql },
        },
      },
    }),
  );

const remove = async (pipeline: PipelineHost): Promise<void> => {
  for (const name of [...pipeline.names].reverse()) await pipeline.remove(name);
};
afterEach(() => remove(host()));

describe('a ksqlDB pipeline', () => {
  it('is created in the order of its statements, found by name, and has the group of each query', async () => {
    const pipeline = host();
    expect(pipeline.names).toEqual(['SLUICE_ACCOUNTS', 'sluice_totals']);
    expect(await pipeline.product()).toMatch(/^ksqlDB \S+, service /);
    for (const name of pipeline.names) {
      expect(await pipeline.isThere(name)).toBe(false);
      await pipeline.create(name);
      expect(await pipeline.isThere(name)).toBe(true);
    }
    const again = host();
    expect(await again.state('SLUICE_ACCOUNTS')).toEqual({ running: 'declared' });
    expect(await again.state('sluice_totals')).toEqual({
      running: expect.stringMatching(/^CTAS_/) as string,
    });
    const { serviceId } = await new KsqlDb(url).server();
    expect(await again.groups()).toEqual([
      expect.stringMatching(new RegExp(`^_confluent-ksql-${serviceId}query_CTAS_`)) as string,
    ]);
  });

  it('is removed in reverse order, and a second removal changes nothing', async () => {
    const pipeline = host();
    for (const name of pipeline.names) await pipeline.create(name);
    await remove(pipeline);
    await remove(pipeline);
    for (const name of pipeline.names) expect(await pipeline.isThere(name)).toBe(false);
    expect(await pipeline.groups()).toEqual([]);
  });

  it("names a refused statement together with the server's message", async () => {
    const pipeline = host(STATEMENTS.replace('FROM sluice_accounts', 'FROM nowhere'));
    await pipeline.create('SLUICE_ACCOUNTS');
    await expect(pipeline.create('sluice_totals')).rejects.toMatchObject({
      code: 'pipeline-failed',
      message: expect.stringMatching(/CREATE TABLE `sluice_totals`.*NOWHERE/) as string,
    });
    expect(await pipeline.isThere('sluice_totals')).toBe(false);
  });

  it('reports a missing server as unreachable, not as a refusal', async () => {
    await expect(new KsqlDb('http://127.0.0.1:1').sources()).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});

describe.runIf(!real)('a ksqlDB pipeline on a misbehaving fake', () => {
  it('is not created twice after a lost answer', async () => {
    const pipeline = host();
    fake.losesAnswers = 1;
    await expect(pipeline.create('SLUICE_ACCOUNTS')).rejects.toMatchObject({ code: 'unreachable' });
    await pipeline.create('SLUICE_ACCOUNTS'); // it already exists, created by the earlier attempt
    expect([...fake.sources.keys()]).toEqual(['SLUICE_ACCOUNTS']);
    // the last request only asked whether the object exists, so it was sent without properties
    expect(fake.properties).toEqual({});
  });

  it('counts as not running if its query failed', async () => {
    const pipeline = host();
    for (const name of pipeline.names) await pipeline.create(name);
    const [query] = fake.queries.values();
    query!.state = 'ERROR';
    expect(await pipeline.state('sluice_totals')).toEqual({ not: `query ${query!.id} is ERROR` });
  });
});

describe('the statements', () => {
  it('keep their properties, their order and the case of quoted names', () => {
    expect(ksqlPlan(STATEMENTS)).toMatchObject({
      properties: { 'auto.offset.reset': 'earliest' },
      statements: [
        { name: 'SLUICE_ACCOUNTS', kind: 'TABLE', isQuery: false },
        { name: 'sluice_totals', kind: 'TABLE', isQuery: true },
      ],
    });
  });
  it.each([
    ['INSERT INTO a SELECT * FROM b', /cannot be used in a pipeline/],
    ['DROP STREAM a', /cannot be used in a pipeline/],
    ["CREATE STREAM a (x INT) WITH (kafka_topic = 'a')", /start no query/],
    [
      'CREATE STREAM a AS SELECT 1 FROM b; CREATE TABLE A AS SELECT 1 FROM b',
      /two statements create A/,
    ],
  ])('are refused, and the message names the reason: %s', (sql, message) =>
    expect(() => ksqlPlan(sql)).toThrow(message),
  );
});
