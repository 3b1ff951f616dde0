// Tests tables and columns whose names Debezium's sink could confuse with other names. The sink
// finds its table with LIKE, in which `_` matches any character.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type kafkajs from 'kafkajs';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { quoteIdent } from '../../src/domain/migration/names.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { kafkaClient } from '../support/access.js';
import { askConnect } from '../support/ask-connect.js';
import { BATCH_PARTS, sleepUntil } from '../support/builders.js';
import { freshDatabase, sluice, specFile, specOf } from '../support/sluice.js';

type Database = Awaited<ReturnType<typeof freshDatabase>>;
const NAME = 'sink-names';

let database: Database;
let producer: kafkajs.Producer;
let admin: kafkajs.Admin;
const topics: string[] = []; // deleted at the end, because the producer still asks for them

beforeAll(async () => {
  database = await freshDatabase('CREATE TABLE t (day int PRIMARY KEY, total text)');
  const kafka = kafkaClient();
  [producer, admin] = [kafka.producer(), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
});
afterAll(async () => {
  await admin.deleteTopics({ topics });
  await Promise.all([producer.disconnect(), admin.disconnect()]);
  await database.drop();
});

const specWith = (table: string, column = 'total') => {
  const { pipeline, batch } = BATCH_PARTS;
  const output = { ...pipeline.output, topic: `${NAME}-${process.pid}-out` };
  return {
    ...BATCH_PARTS,
    batch: { ...batch, query: { sql: `SELECT day, total AS ${quoteIdent(column)} FROM public.t` } },
    pipeline: { ...pipeline, output },
    sink: { type: 'jdbc-sink', table },
    cutover: { route: { type: 'none' } },
  };
};

/**
 * Runs a sink that writes one row, and waits until its table has the row. Throws if the task fails.
 */
async function sinkOne(table: string, column: string): Promise<void> {
  const parsed = parseSpecObject(
    specOf(NAME, database.name, ['public.t'], specWith(table, column)),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const topic = `${NAME}-${process.pid}-${Buffer.from(table).toString('hex')}`;
  const config = {
    ...jdbcSinkConfig(resolve({ spec: parsed.spec, generation: 1 })),
    topics: topic,
  };
  const field = (name: string, type: string) => ({ field: name, type, optional: false });
  const record = (fields: object[], payload: object) =>
    JSON.stringify({ schema: { type: 'struct', optional: false, fields }, payload });
  const key = record([field('day', 'int32')], { day: 1 });
  const value = record([field(column, 'string')], { [column]: 'stream' });
  await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
  topics.push(topic);
  await producer.send({ topic, messages: [{ key, value }] });
  try {
    await askConnect('PUT', `${topic}/config`, config);
    await sleepUntil(
      `the sink writes to ${table}`,
      async () => {
        const status = await (await askConnect('GET', `${topic}/status`)).text();
        if (status.includes('FAILED')) throw new Error(status);
        return (await rows(table)).length > 0;
      },
      60_000,
    );
  } finally {
    await askConnect('DELETE', topic);
  }
}

const rows = async (table: string): Promise<unknown[]> =>
  (await database.client.query({ text: `SELECT * FROM ${table}`, rowMode: 'array' })).rows;

interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
}

/** Returns one check of `sluice doctor` for a spec. */
function checkOf(check: string, spec: Record<string, unknown>): Check {
  const file = specFile(NAME, database.name, ['public.t'], spec);
  const { checks } = JSON.parse(sluice('doctor', '-f', file, '-o', 'json').stdout) as {
    checks: Check[];
  };
  return checks.find(({ name }) => name === check)!;
}

describe('a sink', () => {
  it("writes to its own table, although its schema's name as a LIKE pattern matches another schema", async () => {
    const make = (schema: string, more = ''): string =>
      `CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".day_sums (day int PRIMARY KEY, total text); ${more}`;
    await database.client.query(
      make('repXeu', `INSERT INTO "repXeu".day_sums VALUES (1, 'mine');`) + make('rep_eu'),
    );
    await sinkOne('rep_eu.day_sums', 'total');
    expect(await rows('rep_eu.day_sums')).toEqual([[1, 'stream']]);
    expect(await rows('"repXeu".day_sums')).toEqual([[1, 'mine']]);
  });

  it('writes to a table and columns with capitals, dots, blanks and apostrophes', async () => {
    const table = `"A_b. c"."It's a stream é"`;
    await database.client.query(
      `CREATE SCHEMA "A_b. c"; CREATE TABLE ${table} (day int PRIMARY KEY, "To. 'tal" text)`,
    );
    await sinkOne(table, "To. 'tal");
    expect(await rows(table)).toEqual([[1, 'stream']]);
  });

  it('would take the type of a column from a table with a similar name, which doctor refuses', async () => {
    await database.client.query(
      `CREATE SCHEMA like_it; CREATE TABLE like_it.a_b (day int PRIMARY KEY, total text);
       DROP TABLE IF EXISTS totals_batch; CREATE TABLE totals_batch (day int PRIMARY KEY, total text);
       CREATE TABLE like_it.acb (day int PRIMARY KEY, total text)`,
    );
    const similar = (table: string): Check => checkOf('sink.similar-names', specWith(table));
    expect(similar('like_it.a_b').status).toBe('passed');
    await database.client.query('ALTER TABLE like_it.acb ALTER total TYPE uuid USING NULL');
    expect(similar('like_it.a_b')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(
        /columns of "like_it"\."a_b" with LIKE.*types of "like_it"\."acb": total \(uuid instead of text\)/,
      ),
      remedy: expect.stringContaining('rename the other table'),
    });
    expect(similar('like_it.acb').status).toBe('passed');
    // This table does not exist yet, and gets the types of the result table.
    expect(similar('"like_it"."ac_"').status).toBe('failed');
    await expect(sinkOne('like_it.a_b', 'total')).rejects.toThrow(/invalid input syntax.*uuid/s);
    expect(await rows('like_it.a_b')).toEqual([]);
  });

  it.each(['we"ird', ' total', '[total]'])(
    'is refused before anything is created if it cannot write to the column %s',
    async (column) => {
      await database.client.query(
        `DROP TABLE IF EXISTS totals_batch; CREATE TABLE totals_batch (day int PRIMARY KEY, ${quoteIdent(column)} text)`,
      );
      expect(checkOf('sink.table', specWith('public.odd', column))).toMatchObject({
        status: 'failed',
        detail: expect.stringContaining('the sink cannot write to columns whose name contains'),
      });
    },
  );
});
