// Tests small random pipelines: random queries over random tables with random writers. The snapshot
// is taken, and the ends of the topics are read, at random moments. A correct output passes if it
// has rows, and a planted fault is always found. Postgres, Kafka and the comparison are real. The
// test replaces the connector, the pipeline, the wait for the still point, and the results of
// earlier windows. SLUICE_PIPELINES and SLUICE_PIPELINE_SEED change the number of runs and the
// first seed.
import kafkajs from 'kafkajs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StillPoint } from '../../src/activities/windows/results/exact/still-point.js';
import type { SubjectOutcome } from '../../src/activities/windows/subject-outcome.js';
import { KafkaPort, type PartitionEnds } from '../../src/clients/kafka/kafka.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { aRef } from '../support/builders.js';
import { aTopic } from '../support/live.js';
import { random } from '../support/rows.js';
import { freshDatabase } from '../support/sluice.js';
import { VIEW, pick, randomQuery, type RandomQuery } from './random-pipeline/queries.js';
import { compareRun } from './random-pipeline/exact-window.js';
import { outputAt, withFault, type Fault } from './random-pipeline/output.js';
import { TABLES, Writers, type Change } from './random-pipeline/writers.js';

const RUNS = Number(process.env['SLUICE_PIPELINES'] ?? 1000);
const SEED = Number(process.env['SLUICE_PIPELINE_SEED'] ?? 19);
const OUTPUT = 'random-output';
const ref = aRef({ name: 'random', tables: ['public.a', 'public.b'] });
const plan = resolve(ref);
const topicOf = (table: string): string => `${plan.names.topicPrefix}.public.${table}`;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let clients: pg.Client[] = [];
let kafka: KafkaPort;
let producer: kafkajs.Producer;

beforeAll(async () => {
  database = await freshDatabase(
    `${TABLES} ${VIEW}; CREATE SCHEMA at_ends; SET search_path = at_ends; ${TABLES} ${VIEW}; RESET search_path`,
  );
  clients = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const client = new pg.Client({
        database: database.name,
        types: { getTypeParser: () => String },
      });
      await client.connect();
      return client;
    }),
  );
  const brokers = process.env['KAFKA_BROKERS']!;
  kafka = new KafkaPort(
    { brokers: [brokers], replication: 1, partitions: 1, tls: false },
    () => '',
  );
  for (const topic of [topicOf('a'), topicOf('b'), OUTPUT]) await aTopic(kafka, topic);
  producer = new kafkajs.Kafka({
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer();
  await producer.connect();
});
afterAll(async () => {
  for (const topic of [topicOf('a'), topicOf('b'), OUTPUT]) await kafka.deleteTopic(topic);
  await Promise.all([
    producer.disconnect(),
    kafka.disconnect(),
    ...clients.map((one) => one.end()),
  ]);
  await database.drop();
});

const endOf = async (topic: string): Promise<PartitionEnds> => (await kafka.offsets(topic))[0]!;

/** Writes the records of both tables. Returns the offset at which the records begin, by table. */
async function produce(log: readonly Change[]): Promise<Offsets> {
  const from = { a: (await endOf(topicOf('a'))).high, b: (await endOf(topicOf('b'))).high };
  const topicMessages = (['a', 'b'] as const).map((table) => ({
    topic: topicOf(table),
    messages: log.filter((one) => one.table === table).map(({ record }) => record),
  }));
  await producer.sendBatch({ topicMessages });
  return from;
}

interface Run {
  readonly query: RandomQuery;
  readonly fault: Fault;
  readonly rows: number;
  readonly result: SubjectOutcome;
}

async function runOf(seed: number): Promise<Run> {
  const next = random(seed);
  const [reader, side, ...writing] = clients as [pg.Client, pg.Client, ...pg.Client[]];
  await side.query('TRUNCATE a, b');
  const writers = new Writers(next, seed * 100, writing);
  await writers.load();
  const loaded = writers.log.length;
  await writers.steps(20);
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await reader.query<{ s: string }>('SELECT pg_current_snapshot()::text AS s');
  const taken = writers.log.length;
  writers.sendSomeEarly();
  await writers.steps(20);
  await writers.finish();
  const { log } = writers;
  const cut = Math.max(loaded, Math.min(log.length, taken + Math.floor(next() * 17) - 8));
  const query = randomQuery(next);
  const offsets = await produce(log);
  const before = await endOf(OUTPUT);
  const output = await outputAt(side, log.slice(0, cut), query);
  const { fault, messages } = withFault(
    next,
    output,
    query,
    pick(next, ['none', 'none', 'wrong', 'lost', 'extra']),
  );
  await producer.send({ topic: OUTPUT, messages });
  try {
    const point = await pointOf(log.slice(0, cut), offsets, rows[0]!.s);
    // A random part of the changes that the snapshot sees counts as read by an earlier window. Only
    // the other changes are searched for rows that differ between the snapshot and the topics.
    const settled = log.slice(0, Math.floor(next() * (taken + 1)));
    const { a, b } = endsOf(settled, offsets);
    const settledUpTo = { [topicOf('a')]: a, [topicOf('b')]: b };
    const compared = { query, settledUpTo, output: OUTPUT, before, point };
    const result = await compareRun(compared, { ref, plan, kafka, reader, side });
    return { query, fault, rows: output.length, result };
  } finally {
    await reader.query('ROLLBACK');
  }
}

type Offsets = Readonly<Record<'a' | 'b', number>>;

/** Returns the ends of the topics, by table, after these changes. */
function endsOf(log: readonly Change[], begin: Offsets): Offsets {
  const count = (table: 'a' | 'b'): number => log.filter((one) => one.table === table).length;
  return { a: begin.a + count('a'), b: begin.b + count('b') };
}

async function pointOf(
  log: readonly Change[],
  begin: Offsets,
  snapshotText: string,
): Promise<StillPoint> {
  const ends = new Map<string, PartitionEnds[]>();
  for (const table of ['a', 'b'] as const) {
    const end = endsOf(log, begin)[table];
    ends.set(topicOf(table), [{ ...(await endOf(topicOf(table))), high: end, committed: end }]);
  }
  return {
    ends,
    outputs: new Map([[OUTPUT, await kafka.offsets(OUTPUT)]]),
    snapshotText,
    snapshot: parseSnapshot(snapshotText),
    mark: { lsn: '0/1', reached: () => Promise.resolve(null) },
    sink: null,
    stoodMs: 0,
  };
}

describe('an exact window of a random pipeline', () => {
  it(
    'passes a correct output with rows and finds each planted fault, no matter what the snapshot sees',
    { timeout: 3_600_000 },
    async () => {
      const seen = { none: 0, wrong: 0, lost: 0, extra: 0, aligned: 0, empty: 0 };
      for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
        const { query, fault, rows, result } = await runOf(seed);
        const { verdict, reason } = result.verdict;
        const {
          missing = 0,
          extraneous = 0,
          mismatched = 0,
          unknown = 0,
          matched = 0,
        } = result.counts ?? {};
        const planted = {
          missing: +(fault === 'lost'),
          extraneous: +(fault === 'extra'),
          mismatched: +(fault === 'wrong'),
        };
        const right = rows === 0 ? 'inconclusive' : fault === 'none' ? 'passed' : 'failed';
        expect({
          seed,
          sql: query.sql,
          reason,
          verdict,
          missing,
          extraneous,
          mismatched,
          unknown,
          matched,
        }).toEqual({
          seed,
          sql: query.sql,
          reason,
          verdict: right,
          ...planted,
          unknown: 0,
          matched: rows - planted.mismatched - planted.missing,
        });
        seen[fault] += 1;
        if (rows === 0) seen.empty += 1;
        if (!reason.endsWith(' 0 rows aligned')) seen.aligned += 1;
      }
      console.log(`random pipelines: ${JSON.stringify(seen)}`);
      expect(seen.aligned).toBeGreaterThan(RUNS / 4);
    },
  );
});
