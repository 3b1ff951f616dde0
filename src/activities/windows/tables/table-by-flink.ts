// Compares a table with its topic in a bounded Flink job, for tables that do not fit in one
// machine's memory. Sluice writes the snapshot's rows to a topic, and Flink joins that topic with
// the table's topic. Flink returns the keys that it does not prove equal. Sluice then compares the
// rows of these keys value by value.
import { FlinkGateway, type FlinkSession } from '../../../clients/http/flink-gateway.js';
import { flinkTrouble } from '../../../clients/http/flink-trouble.js';
import { Comparison, type Shape } from '../../../compare/row-comparison.js';
import { MAX_CANDIDATES } from '../../../compare/hash-comparison.js';
import type { ReplayTable } from '../../../compare/write-debezium-json.js';
import { TableFold } from '../../../compare/table-fold.js';
import {
  CANARY,
  candidates,
  countKinds,
  flinkSetup,
  type Kind,
  type TopicRange,
} from '../../../connectors/flink-compare.js';
import { Problem } from '../../../domain/failure.js';
import { quoteIdent } from '../../../domain/migration/names.js';
import type { EngineSpec } from '../../../domain/migration/engine-access.js';
import { comparedOf, type Counts } from '../../../domain/evidence/counts.js';
import { flinkKafka } from '../../runtime/flink-kafka.js';
import { recordWriter } from '../../runtime/record-writer.js';
import type { PassInput, TablePass } from './table-by-hash.js';
import { readPaced } from '../../../clients/postgres/row-cursor.js';

export interface FlinkPassInput extends PassInput {
  readonly gateway: string;
  readonly spec: EngineSpec;
  /** Sluice's own topic for the rows of the snapshot. */
  readonly windowTopic: string;
  readonly table: ReplayTable;
}

/** Compares like `passByHash`. `input.ends` MUST have been read after the barrier was proven. */
export async function passByFlink(input: FlinkPassInput): Promise<TablePass> {
  const { topic, ends, spec, shape, snapshot } = input;
  const stream: TopicRange = {
    topic,
    partitions: ends.map(({ partition, low, committed }) => ({
      partition,
      from: low,
      to: committed,
    })),
  };
  for (const { partition, low } of ends)
    if (low > 0)
      throw new Problem(
        'topic-lost',
        `${topic}/${partition} begins at offset ${low}, but offset 0 is needed: retention removed records`,
      );
  const { columns } = input.table;
  const isCompared = ({ name }: { name: string }): boolean =>
    shape.columns.some((c) => c.name === name);
  // Columns that are not compared are left out, because Sluice may be unable to write them.
  const table = { ...input.table, columns: columns.filter(isCompared) };
  const legacy = await exportRows({ ...input, table });
  const ignored = columns.filter((c) => !isCompared(c)).map((c) => c.name);
  try {
    return await new FlinkGateway(input.gateway).session(async (session) => {
      const kafka = await flinkKafka(session, spec);
      for (const statement of flinkSetup({ ...kafka, legacy, stream, snapshot, ignored }))
        await session.run(statement);
      return judge(session, shape, stream, input.heartbeat);
    });
  } catch (error) {
    throw flinkTrouble(error, spec) ?? error;
  } finally {
    await input.kafka.deleteRecords(
      legacy.topic,
      new Map(legacy.partitions.map(({ partition, to }) => [partition, to])),
    );
  }
}

/**
 * Appends the snapshot's rows of the table to the window topic. Returns the range of offsets of
 * these rows.
 */
async function exportRows({
  kafka,
  windowTopic,
  table,
  reader,
  from,
  rowsPerSecond,
  heartbeat,
}: FlinkPassInput): Promise<TopicRange> {
  const before = await kafka.offsets(windowTopic);
  const record = recordWriter(
    table,
    'add the column to validation.compare.ignore, or use engine: embedded',
  );
  const writer = kafka.openWriter();
  const select = `SELECT ${table.columns.map((c) => quoteIdent(c.name)).join(', ')} FROM ${from}`;
  for await (const batch of readPaced(reader, select, { rowsPerSecond, heartbeat })) {
    for (const values of batch) {
      const full = writer.write(windowTopic, record(values));
      if (full) await full;
    }
  }
  await writer.flush();
  const after = await kafka.offsets(windowTopic);
  return {
    topic: windowTopic,
    partitions: after.map(({ partition, committed }, at) => ({
      partition,
      from: before[at]!.committed,
      to: committed,
    })),
  };
}

async function judge(
  session: FlinkSession,
  shape: Shape,
  stream: TopicRange,
  heartbeat: () => void,
): Promise<TablePass> {
  const counted = new Map(
    (await session.run(countKinds(stream))).map(([kind, n]) => [String(kind), Number(n)]),
  );
  heartbeat();
  const of = (kind: Kind | 'unreadable' | 'scattered'): number => counted.get(kind) ?? 0;
  const kinds = Object.keys(CANARY) as Kind[];
  const found = kinds.filter(
    (kind) => (counted.get(`canary-${kind}`) ?? 0) === CANARY[kind],
  ).length;
  const pass = {
    rowsRead: of('matched') + of('missing') + of('different'),
    canary: { planted: kinds.length, found },
    note: 'joined by Flink',
  };
  const suspected = of('missing') + of('extraneous') + of('different');
  const byFlink: Counts = {
    matched: of('matched'),
    missing: of('missing'),
    extraneous: of('extraneous'),
    mismatched: of('different'),
    unstable: 0,
    unknown: of('unreadable') + of('scattered'),
  };
  if (suspected === 0) return { ...pass, counts: byFlink, differences: [] };
  const rows = await session.run(candidates(MAX_CANDIDATES));
  if (rows.length !== Math.min(suspected, MAX_CANDIDATES))
    throw new Problem(
      'unexpected',
      `Flink counted ${suspected} keys that are not proven equal, but returned ${rows.length} of them`,
    );
  const { counts, differences } = compareImages(shape, rows);
  // If more keys differ than can be examined, the counts come from Flink, and the examined keys are
  // only a sample.
  if (suspected > MAX_CANDIDATES) return { ...pass, counts: byFlink, differences };
  return {
    ...pass,
    counts: {
      ...counts,
      matched: byFlink.matched + counts.matched,
      unknown: counts.unknown + byFlink.unknown,
    },
    differences,
  };
}

/**
 * Compares the images in rows `[kind, legacy image, stream image]` value by value. Returns the
 * counts and differences.
 */
function compareImages(
  shape: Shape,
  rows: readonly (readonly unknown[])[],
): ReturnType<Comparison['finish']> {
  const [legacy, stream] = [new TableFold(shape), new TableFold(shape)];
  const add = (fold: TableFold, image: unknown): void => {
    if (typeof image === 'string') fold.addImage(image);
  };
  for (const [, left, right] of rows) {
    add(legacy, left);
    add(stream, right);
  }
  const comparison = new Comparison(shape, stream.rows, 1);
  for (const [key, { row }] of legacy.rows) comparison.add(key, row);
  const { counts, differences } = comparison.finish();
  const lost = legacy.unreadable + stream.unreadable;
  const judged = { ...counts, unknown: counts.unknown + lost };
  if (comparedOf(judged) < rows.length)
    throw new Problem(
      'unexpected',
      `of ${rows.length} keys that Flink returned, only ${comparedOf(judged)} were compared`,
    );
  return { counts: judged, differences };
}
