// Makes the initial load for `connector.snapshot: copy`. It creates a slot and uses the snapshot
// taken at the slot's position. (A later attempt takes a new snapshot.) Sessions that share the
// snapshot read the tables, block range by block range. They write each row in the form that the
// connector's own initial load would use. After that, the connector reads the WAL from the slot's
// position.
import { Context } from '@temporalio/activity';
import { dividedBlocks, inBlocks, type Blocks } from '../../../clients/postgres/block-ranges.js';
import { copyLines } from '../../../clients/postgres/copy-stream.js';
import {
  copiedChunks,
  recordChunk,
  type CopiedChunk,
} from '../../../clients/ledger/copy-progress.js';
import { SharedBytes } from '../../../clients/kafka/crc32c.js';
import type { BulkWriter } from '../../../clients/kafka/producer.js';
import type { SourceClient } from '../../../clients/postgres/connection.js';
import { capturedColumns } from '../../../compare/write-debezium-json.js';
import type { TableProgress } from '../../../domain/evidence/ledger-rows.js';
import { qualified, quoteIdent } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { durationMs } from '../../../domain/values/duration.js';
import { lsnToBigInt, type Lsn } from '../../../domain/values/position.js';
import type { Deps } from '../../runtime/deps.js';
import { describing } from '../../runtime/poll-until.js';
import { withPlan, type Planned } from '../../runtime/with-plan.js';
import { lineWriter } from '../../runtime/record-writer.js';
import { Pulse } from '../../runtime/stale-attempt.js';
import {
  beginCopy,
  closeReaders,
  demandSlot,
  openReaders,
  targetsOf,
  type CopyDeps,
  type CopyTarget,
} from './copy-readers.js';

/**
 * The size of a range in blocks of 8 KB, which is 32 MB. If a worker dies and its finished ranges
 * are still valid, each session repeats at most one range.
 */
const CHUNK_BLOCKS = 4096;

/** The blocks that one COPY reads at most, so that it ends long before the statement timeout. */
const BLOCKS_AT_ONCE = 512;
/** The maximum number of rows in a block of 8 KB. */
const ROWS_IN_BLOCK = 291;
/**
 * The number of rows after which the copy checks again whether the worker was suspended, and
 * Temporal has started another attempt.
 */
const ROWS_PER_CHECK = 256;

const UNWRITABLE =
  'change the value, then: sluice retry; or start again with connector.snapshot: initial or incremental';

interface CopyTask {
  readonly target: CopyTarget;
  readonly chunk: number;
  readonly range: Blocks;
}

export function createCopyActivities(deps: Deps) {
  return withPlan({
    /**
     * Creates the slot, and copies every table to its topic. If an attempt dies, the next attempt
     * copies only the remaining ranges. It copies a table again from its beginning in three cases:
     * if the table was rewritten, if its partitions changed, or if the WAL can omit TOASTed values.
     * The activity's heartbeats to Temporal report the progress.
     */
    async copyTables(
      run: Planned,
      totals: Readonly<Record<string, number>>,
    ): Promise<TableProgress[]> {
      const scanned = new Map<string, number>();
      const progress = (): TableProgress[] =>
        Object.entries(totals).map(([table, rowsTotal]) => ({
          table,
          rowsScanned: scanned.get(table) ?? 0,
          rowsTotal,
        }));
      const pulse = new Pulse();
      const count = (table: string, rows: number): void =>
        void scanned.set(table, (scanned.get(table) ?? 0) + rows);
      try {
        await describing(
          () => ({ phase: 'connect', tables: progress() }),
          () => copyAll(deps, run, pulse, count),
        );
      } finally {
        pulse.stop();
      }
      return progress();
    },
  });
}

/**
 * Copies every range, except those that an earlier attempt has copied and that are still valid.
 * Calls `count` with the number of rows of each range, including these.
 */
async function copyAll(
  deps: CopyDeps,
  { ref, plan }: Planned,
  pulse: Pulse,
  count: (table: string, rows: number) => void,
): Promise<void> {
  const { ledger, systems } = deps;
  const recorded = await copiedChunks(ledger, ref);
  const { snapshot, begins } = await beginCopy(deps, { ref, plan });
  const readers = await openReaders(deps, plan, snapshot);
  try {
    const targets = await targetsOf(plan, readers[0]!);
    const earlier = stillValid(recorded, targets);
    for (const { table, rows } of earlier) count(table, rows);
    const tasks = tasksOf(targets, earlier);
    const writer = systems.kafka(plan).openWriter();
    const work = async (reader: SourceClient): Promise<void> => {
      for (let task = tasks.shift(); task; task = tasks.shift()) {
        const chunk = await copyChunk(
          { plan, reader, writer, pulse, begins, share: readers.length },
          task,
        );
        await recordChunk(ledger, ref, chunk);
        count(chunk.table, chunk.rows);
      }
    };
    await Promise.race([Promise.all(readers.map(work)), Context.current().cancelled]);
  } finally {
    await closeReaders(readers);
  }
  // If the slot is lost, the connector would create a new one, which lacks the changes during the
  // copy.
  await demandSlot(deps, plan);
}

/**
 * Returns the recorded ranges that need not be copied again. A table's ranges are discarded if its
 * rows moved to other files (VACUUM FULL, CLUSTER), or if its partitions changed. Ranges that were
 * read in other snapshots are also discarded if the WAL can omit TOASTed values of the table.
 */
export function stillValid(
  recorded: readonly CopiedChunk[],
  targets: readonly Pick<CopyTarget, 'table' | 'storage'>[],
): CopiedChunk[] {
  return recorded.filter((chunk) =>
    targets.some((target) => target.table === chunk.table && target.storage === chunk.storage),
  );
}

/**
 * Returns the ranges of all tables that are not in `earlier`, the valid ranges of earlier attempts.
 * Between two attempts, an update may move a row from a remaining range into a copied one. Such a
 * row is not lost, because the WAL contains the whole row. If the WAL can omit a value of the row,
 * `stillValid` has discarded the table's ranges of earlier attempts.
 */
function tasksOf(targets: readonly CopyTarget[], earlier: readonly CopiedChunk[]): CopyTask[] {
  const tasks = targets.flatMap((target) =>
    dividedBlocks({ from: 0, to: null }, target.blocks, CHUNK_BLOCKS).map((range, chunk) => ({
      target,
      chunk,
      range,
    })),
  );
  return tasks.filter(
    ({ target, chunk }) => !earlier.some((c) => c.table === target.table && c.chunk === chunk),
  );
}

interface CopyContext {
  readonly plan: ResolvedPlan;
  readonly reader: SourceClient;
  readonly writer: BulkWriter;
  readonly pulse: Pulse;
  readonly begins: Lsn;
  /** The number of sessions that share the limit of rows per second. */
  readonly share: number;
}

/** Copies one range. Returns after Kafka has acknowledged all rows of the range. */
async function copyChunk(
  { plan, reader, writer, pulse, begins, share }: CopyContext,
  { target, chunk, range }: CopyTask,
): Promise<CopiedChunk> {
  const { catalog, topic, table, blocks, storage } = target;
  const { name, key } = catalog;
  const { limits } = plan.spec.source;
  const columns = capturedColumns(catalog.columns, plan.capture);
  const server = plan.names.topicPrefix;
  const lines = lineWriter(
    { database: plan.database, ...name, columns, key, server, lsn: lsnToBigInt(begins) },
    UNWRITABLE,
  );
  const end = new SharedBytes(lines.end);
  await writer.open(topic);
  let seen = 0;
  const write = (line: Buffer): Promise<void> | undefined => {
    if (seen % ROWS_PER_CHECK === 0) pulse.check();
    seen += 1;
    return writer.writeBytes(topic, lines.record(line), end);
  };
  const select = `SELECT ${columns.map((column) => quoteIdent(column.name)).join(', ')} FROM ${qualified(name)}`;
  const rowsPerSecond = limits.rowsPerSecond / share;
  const size = blocksAtOnce(rowsPerSecond, durationMs(limits.statementTimeout));
  let rows = 0;
  for (const part of dividedBlocks(range, blocks, size))
    rows += await copyLines(reader, `${select} WHERE ${inBlocks(part)}`, { rowsPerSecond }, write);
  pulse.check();
  await writer.flush();
  return { table, chunk, rows, storage };
}

/**
 * Returns how many blocks one COPY may read. If the rows per second are limited, the COPY must
 * still end within half of the statement timeout.
 */
export function blocksAtOnce(rowsPerSecond: number, timeoutMs: number): number {
  if (rowsPerSecond === 0) return BLOCKS_AT_ONCE;
  const inTime = Math.floor((rowsPerSecond * timeoutMs) / 2000 / ROWS_IN_BLOCK);
  return Math.max(1, Math.min(BLOCKS_AT_ONCE, inTime));
}
