// Makes the initial load for `connector.snapshot: copy`. It creates a slot and uses the snapshot
// taken at the slot's position. Several sessions read the tables in that snapshot, block range by
// block range. They write each row as the connector's own initial load would. After that, the
// connector reads the log from the slot's position.
import { Context } from '@temporalio/activity';
import {
  blockRanges,
  blocksOf,
  readKeyedTable,
  storageOf,
  type TableCatalog,
} from '../../clients/postgres/catalog.js';
import { copiedChunks, recordChunk, type CopiedChunk } from '../../clients/ledger/copy-progress.js';
import type { BulkWriter } from '../../clients/kafka/producer.js';
import {
  createSlot,
  openSource,
  shareSnapshot,
  withSource,
  type SharedSnapshot,
  type SourceClient,
} from '../../clients/postgres/connection.js';
import { readSlot } from '../../clients/postgres/slots.js';
import { SnapshotWriter, capturedColumns } from '../../compare/debezium-json.js';
import { Problem } from '../../domain/failure.js';
import type { OwnedObject, TableProgress } from '../../domain/evidence/ledger-rows.js';
import { qualified, quoteIdent, quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { lsnToBigInt, type Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { isOurs, makeClaimed } from '../ownership/owned.js';
import { alive } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { Pulse } from '../runtime/stale-attempt.js';
import { creatingSlot } from './slot-wait.js';
import { readPaced } from '../runtime/row-cursor.js';

const CHUNK_BLOCKS = 4096; // 32 MB: the most that each session reads again after a death

interface CopyTarget {
  readonly table: string;
  readonly catalog: TableCatalog;
  readonly topic: string;
  readonly blocks: number;
  /** Identifies the files that hold its rows. It changes when the table is rewritten. */
  readonly storage: string;
}

interface CopyTask {
  readonly target: CopyTarget;
  readonly chunk: number;
  /** The condition that selects its rows. */
  readonly range: string;
}

export function createCopyActivities(deps: Deps) {
  const { secret, ledger, systems } = deps;

  /**
   * Returns the snapshot to read, and the slot's position. A new slot comes with a snapshot at its
   * position. After a restart, that snapshot is gone, so a fresh one is taken; its rows may be
   * newer than the slot's position. The log then replays changes that the rows already contain,
   * which is harmless because every reader keeps the newest row of a key.
   */
  async function beginCopy({
    ref,
    plan,
  }: Planned): Promise<{ snapshot: SharedSnapshot; begins: Lsn }> {
    const { slot } = plan.names;
    const object: OwnedObject = { kind: 'slot', name: slot, where: plan.database };
    const position = (): Promise<Lsn | undefined> =>
      withSource(
        plan,
        secret,
        async (client) => (await readSlot(client, slot))?.confirmedLsn ?? undefined,
      );
    const existing = await position();
    if (existing && !(await isOurs(ledger, ref, object)))
      throw new Problem('object-not-ours', `slot ${slot} exists and is not in the ledger`);
    const ask = <T>(use: (client: SourceClient) => Promise<T>): Promise<T> =>
      withSource(plan, secret, use);
    const create = (): Promise<SharedSnapshot> =>
      creatingSlot(slot, ask, () => createSlot(plan, secret, slot));
    const snapshot = existing
      ? await shareSnapshot(plan, secret)
      : await makeClaimed(ledger, ref, [object], create);
    try {
      const begins = existing ?? (await position());
      if (!begins) throw new Problem('slot-lost', `slot ${slot} was created but is not there`);
      await ledger.setObjectState(ref, object, 'created');
      return { snapshot, begins };
    } catch (error) {
      await snapshot.close();
      throw error;
    }
  }

  /**
   * Returns the tables to copy. `reader` locks every table until its transaction ends, so no table
   * can be rewritten or get a partition.
   */
  async function targets(plan: ResolvedPlan, reader: SourceClient): Promise<CopyTarget[]> {
    const found: CopyTarget[] = [];
    for (const [at, { text: table }] of plan.tables.entries()) {
      const catalog = await readKeyedTable(reader, table);
      const name = qualified(catalog.name);
      await reader.query(`SELECT FROM ${name} LIMIT 0`);
      found.push({
        table,
        catalog,
        topic: plan.captures[at]!.topic,
        blocks: await blocksOf(reader, name),
        storage: await storageOf(reader, name),
      });
    }
    return found;
  }

  /** Opens sessions that all read the same snapshot, then closes the session that exported it. */
  async function openReaders(
    plan: ResolvedPlan,
    snapshot: SharedSnapshot,
  ): Promise<SourceClient[]> {
    const readers: SourceClient[] = [];
    try {
      while (readers.length < plan.spec.source.limits.maxBackends) {
        const reader = await openSource(plan, secret);
        readers.push(reader);
        await reader.query(
          `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot.name)}`,
        );
      }
      return readers;
    } catch (error) {
      await close(readers);
      throw error;
    } finally {
      await snapshot.close();
    }
  }

  return withPlan({
    /**
     * Creates the slot, and copies every table to its topic from the slot's position. Continues
     * where a killed attempt stopped, and heartbeats its progress.
     */
    async copyTables(
      { ref, plan }: Planned,
      totals: Readonly<Record<string, number>>,
    ): Promise<TableProgress[]> {
      const recorded = await copiedChunks(ledger, ref);
      const scanned = new Map<string, number>();
      const progress = (): TableProgress[] =>
        Object.entries(totals).map(([table, rowsTotal]) => ({
          table,
          rowsScanned: scanned.get(table) ?? 0,
          rowsTotal,
        }));
      const pulse = new Pulse();
      const copyAll = async (): Promise<void> => {
        const { snapshot, begins } = await beginCopy({ ref, plan });
        const readers = await openReaders(plan, snapshot);
        try {
          const found = await targets(plan, readers[0]!);
          const earlier = stillValid(recorded, found);
          for (const { table, rows } of earlier)
            scanned.set(table, (scanned.get(table) ?? 0) + rows);
          const tasks = tasksOf(found, earlier);
          const writer = systems.kafka(plan).openWriter();
          const work = async (reader: SourceClient): Promise<void> => {
            for (let task = tasks.shift(); task; task = tasks.shift()) {
              const chunk = await copyChunk(
                { plan, reader, writer, pulse, begins, share: readers.length },
                task,
              );
              await recordChunk(ledger, ref, chunk);
              scanned.set(chunk.table, (scanned.get(chunk.table) ?? 0) + chunk.rows);
            }
          };
          await Promise.race([Promise.all(readers.map(work)), Context.current().cancelled]);
        } finally {
          await close(readers);
        }
      };
      try {
        await alive(copyAll, () => ({ phase: 'connect', tables: progress() }));
      } finally {
        pulse.stop();
      }
      return progress();
    },
  });
}

/**
 * Returns the recorded ranges that need no second copy. A table's ranges are discarded if its rows
 * moved to other files (VACUUM FULL, CLUSTER) or its partitions changed.
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
 * Returns every range of every table that no earlier attempt has copied. If an update moves a row
 * out of a range before it is copied, the log contains the whole row.
 */
function tasksOf(targets: readonly CopyTarget[], earlier: readonly CopiedChunk[]): CopyTask[] {
  const tasks = targets.flatMap((target) =>
    blockRanges(target.blocks, CHUNK_BLOCKS).map((range, chunk) => ({ target, chunk, range })),
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

/** Copies one range. Returns after Kafka has acknowledged all its rows. */
async function copyChunk(
  { plan, reader, writer, pulse, begins, share }: CopyContext,
  { target, chunk, range }: CopyTask,
): Promise<CopiedChunk> {
  const { catalog, topic, table } = target;
  const { name, key } = catalog;
  const { limits } = plan.spec.source;
  const columns = capturedColumns(catalog.columns);
  const server = plan.names.topicPrefix;
  const records = new SnapshotWriter(
    { database: plan.database, ...name, columns, key, server, lsn: lsnToBigInt(begins) },
    Date.now(),
  );
  const select = `SELECT ${columns.map((column) => quoteIdent(column.name)).join(', ')} FROM ${qualified(name)} WHERE ${range}`;
  let rows = 0;
  for await (const batch of readPaced(reader, select, {
    rowsPerSecond: limits.rowsPerSecond / share,
    heartbeat: () => undefined,
  })) {
    pulse.check();
    for (const values of batch) {
      const full = writer.write(topic, records.record(values));
      if (full) await full;
    }
    rows += batch.length;
  }
  pulse.check();
  await writer.flush();
  return { table, chunk, rows, storage: target.storage };
}

async function close(readers: readonly SourceClient[]): Promise<void> {
  await Promise.all(readers.map((reader) => reader.end().catch(() => undefined)));
}
