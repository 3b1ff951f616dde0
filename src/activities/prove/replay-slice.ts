// Reads one snapshot of the source. Writes the rows of the slice to topics, in the form that a
// connector would use. Also writes the result of the batch's query over these rows.
import {
  describeQuery,
  readKeyedTable,
  type TableCatalog,
} from '../../clients/postgres/catalog.js';
import type { BulkWriter } from '../../clients/kafka/producer.js';
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
import { capturedColumns } from '../../compare/write-debezium-json.js';
import { Problem } from '../../domain/failure.js';
import { qualified, quoteIdent, tableTopic } from '../../domain/migration/names.js';
import {
  expectedTopic,
  type Replayed,
  type SlicedTable,
} from '../../domain/evidence/slice-proof.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { makeClaimed } from '../ownership/owned.js';
import type { Deps } from '../runtime/deps.js';
import { recordWriter, type WriteRecord } from '../runtime/record-writer.js';
import { readCursor } from '../../clients/postgres/row-cursor.js';
import { readRows } from '../windows/canonical-rows.js';
import type { Planned } from '../runtime/with-plan.js';
import { columnsToCompare } from '../windows/columns-to-compare.js';
import { claimedTopics, topicsOfProof } from './proof-topics.js';
import type { ProofPlan } from './slice-plan.js';

/**
 * Writes the slice and the expected result. First deletes the records of an earlier attempt,
 * because they came from a different snapshot. The pipeline MUST NOT be running during this call.
 */
export async function replay(
  { secret, systems, ledger }: Deps,
  proof: ProofPlan & Planned,
): Promise<Replayed> {
  const { plan } = proof;
  const kafka = systems.kafka(plan);
  await makeTopics(ledger, kafka, proof);
  const writer = kafka.openWriter();
  const started = Date.now();
  return readSource(plan, secret, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const lsn = await insertLsn(client);
    const tables: SlicedTable[] = [];
    for (const { table, from } of proof.tables)
      tables.push(await replayTable(client, writer, proof, table, from));
    if (tables.every((t) => t.rows === 0))
      throw new Problem(
        'spec-invalid',
        `the slice matches no row of ${tables.map((t) => t.table).join(', ')}, so it would prove nothing`,
      );
    await writer.flush();
    const { records, bytes } = writer;
    const ms = Date.now() - started;
    const expected = await writeExpected(client, writer, proof);
    await writer.flush();
    await client.query('COMMIT');
    return { lsn, tables, records, bytes, ms, expected };
  });
}

/**
 * Creates the topics of the proof, and first deletes those of an earlier attempt. Throws Problem
 * `object-not-ours`, and changes nothing, if topics of this id exist although the proof has claimed
 * none. A proof with a different ledger may have the same id.
 */
async function makeTopics(
  ledger: Deps['ledger'],
  kafka: ReturnType<Deps['systems']['kafka']>,
  { ref, plan, subject }: ProofPlan & Planned,
): Promise<void> {
  const { kafka: cluster, pipeline } = plan.spec;
  const own = await topicsOfProof(ledger, kafka, ref.name);
  const planned = (name: string): OwnedObject => ({ kind: 'topic', name, where: plan.cluster });
  if (own.length > 0 && (await claimedTopics(ledger, ref.name)).length === 0)
    throw new Problem(
      'object-not-ours',
      `this proof did not create these topics: ${own.join(', ')}`,
      'run sluice prove again, which uses the next number; a proof with a different ledger has used this number',
    );
  for (const topic of own) await kafka.deleteTopic(topic);
  const compacted = { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(86_400_000) };
  const topics = new Set([
    ...plan.captures.map((capture) => capture.topic),
    pipeline!.output.topic,
    subject.topic,
  ]);
  const { partitions, replication } = cluster;
  const make = (topic: string, count: number, settings: Readonly<Record<string, string>>) =>
    makeClaimed(ledger, ref, [planned(topic)], () =>
      kafka.createTopic(topic, count, replication, settings),
    );
  for (const topic of topics) await make(topic, partitions, compacted);
  await make(expectedTopic(ref.name), 1, { 'cleanup.policy': 'delete' });
}

async function replayTable(
  client: SourceClient,
  writer: BulkWriter,
  { ref, plan }: ProofPlan & Planned,
  table: string,
  from: string,
): Promise<SlicedTable> {
  const catalog = await readKeyedTable(client, table);
  const topic = tableTopic(ref.name, catalog.name);
  const record = writerOf(plan, catalog);
  const columns = capturedColumns(catalog.columns, plan.capture)
    .map((c) => quoteIdent(c.name))
    .join(', ');
  let rows = 0;
  for await (const batch of readCursor(client, `SELECT ${columns} FROM ${from}`)) {
    for (const values of batch) {
      const full = writer.write(topic, record(values));
      if (full) await full;
    }
    rows += batch.length;
  }
  const counted = await client.query<Record<string, string>>(
    `SELECT count(*) AS n FROM ${qualified(catalog.name)}`,
  );
  return { table, rows, of: Number(counted.rows[0]!['n']) };
}

function writerOf({ capture, database, names }: ResolvedPlan, catalog: TableCatalog): WriteRecord {
  return recordWriter(
    {
      database,
      ...catalog.name,
      columns: capturedColumns(catalog.columns, capture),
      key: catalog.key,
      server: names.topicPrefix,
    },
    'run sluice doctor, which names columns of unsupported types; otherwise, change the value, or choose a slice without it',
  );
}

/**
 * Writes the result of the batch's query to a separate topic, and returns the number of rows. It
 * uses a topic, because a topic survives this worker, and because Sluice must not create a table in
 * the legacy database.
 */
async function writeExpected(
  client: SourceClient,
  writer: BulkWriter,
  { ref, plan, subject }: ProofPlan & Planned,
): Promise<number> {
  const topic = expectedTopic(ref.name);
  const keys = new Set<string>();
  const columns = columnsToCompare(
    plan,
    await describeQuery(client, subject.query),
    subject.key,
    subject.name,
  );
  const rows: { key: string; value: string | null }[] = [];
  const read = await readRows(
    client,
    `(${subject.query}\n) AS sluice_batch`,
    { key: subject.key, columns },
    { rowsPerSecond: 0, heartbeat: () => undefined },
    (key, row) => {
      keys.add(key);
      rows.push({ key, value: row });
    },
  );
  if (read !== keys.size)
    throw new Problem(
      'spec-invalid',
      `the query of ${subject.name} returned ${read} rows for ${keys.size} keys, so (${subject.key.join(', ')}) is not unique`,
    );
  for (const row of rows) await writer.write(topic, row);
  return read;
}
