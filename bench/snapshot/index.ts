// `npm run bench -- snapshot [--rows 1000000] [--rounds 3]` measures Sluice's copy of a table. In
// the first round, it measures Debezium's initial snapshot too. Each round also measures two
// limits. The first limit is the time to read the table. The second is the time to write the same
// number of records to a topic, in batches that were built before. Each figure comes with the
// processor time of each server and of this process. The benchmark needs the local stack.
import type pg from 'pg';
import { copyRows } from '../../src/clients/postgres/copy-stream.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { namesOf } from '../../src/domain/migration/names.js';
import { cpuTimes, loadAverage, perRow } from '../cpu.js';
import { COLUMNS, say, skipRow, timed, withJoinedRows } from '../joined-rows.js';
import { copyLoad, load, specOf } from '../loads.js';
import { writeReady } from './write-ready.js';

/** Settings that make Debezium's initial snapshot of one table faster. */
const TUNED = {
  'snapshot.fetch.size': '20000',
  'max.batch.size': '16384',
  'max.queue.size': '65536',
  'producer.override.batch.size': '1000000',
  'producer.override.linger.ms': '20',
  'producer.override.buffer.memory': '134217728',
};

const PEERS = [
  ["Debezium's initial snapshot, tuned", 'tuned', TUNED],
  ["Debezium's initial snapshot, as Sluice configures it", 'plain', {}],
] as const;

export async function snapshotBench(rows: number, rounds: number): Promise<void> {
  const names = COLUMNS.map(({ name }) => name).join(', ');
  await withJoinedRows(rows, async (client, run) => {
    for (let round = 1; round <= rounds; round += 1) {
      const name = (what: string): string => `bench-${what}-${run}-${round}`;
      await limits(client, `SELECT ${names} FROM joined`, rows);
      const copied = await part('our copy, two sessions', rows, () =>
        copyLoad(specOf(name('copy'), null), rows),
      );
      if (round > 1) continue; // Debezium takes much longer
      for (const [what, id, more] of PEERS) {
        const spec = specOf(name(id), null);
        await client.query(`CREATE PUBLICATION ${namesOf(spec, 1).publication} FOR TABLE joined`);
        const took = await part(what, rows, () => load(spec, rows, more));
        console.log(`  our copy is ${(took / copied).toFixed(1)} times as fast`);
      }
    }
  });
}

/** Measures the two limits. */
async function limits(client: pg.Client, select: string, rows: number): Promise<void> {
  await part('limit: COPY BINARY of the table, rows discarded', rows, () =>
    timed(() => copyRows(client, select, { rowsPerSecond: 0 }, skipRow)),
  );
  const kafka = new KafkaPort(specOf('bench-limit', null).spec.kafka, () => '');
  await part('limit: ready batches of such records written to a topic', rows, () =>
    writeReady(kafka, rows),
  );
  await kafka.disconnect();
}

async function part(what: string, rows: number, run: () => Promise<number>): Promise<number> {
  const before = cpuTimes();
  const ms = await run();
  say(what, rows, ms);
  console.log(`  ${perRow(before, cpuTimes(), rows)}; load ${loadAverage()}`);
  return ms;
}
