// Makes a table and a topic with the same rows, and the session of a window that has a witness. The
// test itself writes to the topic, so it can leave out events and invent others.
import { afterAll } from 'vitest';
import type { ReadingSession, WitnessRole } from '../../src/activities/windows/session.js';
import { compareTables } from '../../src/activities/windows/tables/compare-tables.js';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import { Witnesses } from '../../src/activities/windows/witness/witnesses.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { openSource } from '../../src/clients/postgres/connection.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { kafkaPort } from './access.js';
import { aPlan, aRef } from './builders.js';
import { aTopic } from './live.js';
import { envelope } from './rows.js';
import { freshDatabase, testPostgres } from './sluice.js';

export const ROWS = 200;
export const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'v', type: 'text' },
  ],
};
export type Write = (op: 'c' | 'u' | 'd', id: number, v?: string) => Promise<void>;

/** Connects the tests of a file to Kafka, and undoes every scene afterwards. */
export function witnessScene() {
  const kafka = kafkaPort();
  const undo: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
    await kafka.disconnect();
  });

  /** Makes a table and a topic with the same rows, and the session of a window. */
  async function scene(count = ROWS) {
    const name = `witness-${process.pid}-${undo.length}`;
    const database = await freshDatabase(
      `CREATE TABLE a (id int PRIMARY KEY, v text) WITH (fillfactor = 50); INSERT INTO a SELECT g, 'v' FROM generate_series(1, ${count}) g;`,
    );
    undo.push(database.drop);
    const input = {
      name,
      tables: ['public.a'],
      spec: { source: { postgres: testPostgres(database.name), tables: ['public.a'] } },
    };
    const plan = aPlan(input);
    await database.client.query(`CREATE PUBLICATION ${plan.names.publication} FOR TABLE a`);
    const topic = `${name}.public.a`;
    await aTopic(kafka, topic, 1, { 'cleanup.policy': 'compact' });
    undo.push(() => kafka.deleteTopic(topic));
    const write: Write = async (op, id, v = 'v') => {
      const writer = kafka.openWriter();
      const image = `{"id":${id},"v":${JSON.stringify(v)}}`;
      await writer.write(topic, { key: `{"id":${id}}`, value: envelope(op, image, 11).toString() });
      await writer.flush();
    };
    const all = kafka.openWriter();
    for (let id = 1; id <= count; id += 1) {
      const value = envelope('c', `{"id":${id},"v":"v"}`, 11).toString();
      await all.write(topic, { key: `{"id":${id}}`, value });
    }
    await all.flush();
    const reader = await openSource(plan, resolveSecret, { readOnly: true });
    const side = await openSource(plan, resolveSecret);
    const witnesses = new Witnesses(resolveSecret);
    const session = {
      plan,
      ref: aRef(input),
      folds: new FoldCache(new FoldFiles(undefined), 2 ** 24),
      witness: { keeper: witnesses, role: 'begin' },
      reader,
      side,
    } as unknown as ConnectedSession;
    undo.push(async () => {
      await witnesses.end(session.ref);
      await reader.end();
      await side.end();
    });
    return { client: database.client, topic, write, session, witnesses };
  }
  return { kafka, scene, undo };
}

/**
 * Returns a function that runs windows. A keeper holds the witnesses of one worker. With the
 * session's own `keeper`, windows run as in the same worker. With a different keeper, they run as
 * in a different worker.
 */
export function windowsOf(kafka: KafkaPort, session: ConnectedSession) {
  const mark = { lsn: '0/1', reached: () => Promise.resolve(null) };
  return (keeper: Witnesses, number: number, role: WitnessRole, isFull = true) => {
    const folds =
      keeper === session.witness!.keeper
        ? session.folds
        : new FoldCache(new FoldFiles(undefined), 2 ** 24);
    const deps = { secret: resolveSecret };
    const witness = { keeper, role };
    const mine = { deps, kafka, folds, number, witness, heartbeat: () => undefined };
    const how = { isFull, roundsMs: 1000, mark: () => Promise.resolve(mark) };
    return compareTables({ ...session, ...mine, ...how } as unknown as ReadingSession);
  };
}
