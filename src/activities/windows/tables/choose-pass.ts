// Chooses the pass for a table. A pass is a way to read and compare the rows of a table. If the
// spec names Flink as the engine, Flink compares the table. If a column has a tolerance, whole rows
// are compared. If the keys do not fit in memory, the table is compared in parts on disk. In all
// other cases, row hashes are compared in memory. If an earlier window proved a long table, a
// window that is not full compares only the table's changed rows and a scrub.
import { storageOf, type TableCatalog } from '../../../clients/postgres/catalog.js';
import { hasTolerance } from '../../../compare/row-comparison.js';
import { hostsOf } from '../../../domain/migration/cluster-access.js';
import { secretsOfEngine } from '../../../domain/migration/engine-access.js';
import { engineGateway } from '../../../domain/migration/spec.js';
import { foldTable } from '../folds/fold-table.js';
import type { ReadingSession } from '../session.js';
import { passByFlink, type FlinkPassInput } from './table-by-flink.js';
import { passByHash, type PassInput, type TablePass } from './table-by-hash.js';
import { passByRow } from './table-by-row.js';
import { passBySpill } from './table-on-disk.js';
import { WORTH_IT_ROWS, passIncrementally } from './changed-rows.js';
import type { Walk } from './range-scan.js';

/** The properties of a table that are known before the comparison. */
export interface KnownTable {
  readonly catalog: TableCatalog;
  /** The number of rows in the window's snapshot. */
  readonly counted: number;
  /** The range scan before the window's snapshot, if there was one. */
  readonly walk: Walk | undefined;
}

/** Compares one table. Throws the errors of Postgres, Kafka and Flink. */
export async function passOver(
  session: ReadingSession,
  input: PassInput,
  known: KnownTable,
): Promise<TablePass> {
  const { folds, ref, plan } = session;
  const { topic, ends, shape, snapshot } = input;
  const gateway = engineGateway(plan.spec);
  if (gateway) return passByFlink(flinkInput(session, input, known.catalog, gateway));
  if (hasTolerance(shape)) {
    const fold = await foldTable(input, folds.table(ref, topic, shape), ends, snapshot);
    return passByRow(input, fold, folds.nextMark());
  }
  const parts = folds.partsNeeded(ref, topic, shape, known.counted);
  if (parts > 1) return passBySpill(input, parts, await folds.spillDir(ref, topic));
  return passInMemory(session, input, known);
}

async function passInMemory(
  { folds, ref, number, isFull }: ReadingSession,
  input: PassInput,
  { counted, walk }: KnownTable,
): Promise<TablePass> {
  const { topic, ends, shape, snapshot } = input;
  const started = Date.now();
  const kept = await folds.hashes(ref, topic, shape, counted);
  let foldMs = 0;
  const folding = foldTable(input, kept, ends, snapshot).finally(() => {
    foldMs = Date.now() - started;
  });
  const isSurelyFull = !walk && (isFull || counted < WORTH_IT_ROWS || kept.provenAt === null);
  const full = isSurelyFull ? await passByHash(input, folding) : null;
  const fold = await folding;
  // The table cannot be rewritten now, because the statement that counted the rows locks the table
  // until this transaction ends.
  const isWalked =
    walk !== undefined &&
    fold.provenAt !== null &&
    walk.storage === (await storageOf(input.reader, input.from));
  const mayBePartial =
    !full && (walk ? isWalked : !isFull && counted >= WORTH_IT_ROWS && fold.provenAt !== null);
  const partial = mayBePartial ? await passIncrementally(input, fold, counted, number) : null;
  const pass = full ?? partial ?? (await passByHash(input, folding));
  fold.proven(
    pass.counts.matched === counted && counted === fold.table.size && fold.unreadable === 0
      ? snapshot
      : null,
  );
  if ((!partial || isWalked) && fold.provenAt && counted >= WORTH_IT_ROWS)
    await folds.save(ref, topic, fold);
  const note =
    partial && isWalked ? `read in ${walk.snapshots} snapshots; then ${partial.note}` : pass.note;
  return {
    ...pass,
    ...(note ? { note } : {}),
    ...(partial && isWalked ? { walkedRows: walk.rowsRead } : {}),
    digest: fold.table.digest(),
    foldMs,
  };
}

function flinkInput(
  { deps, plan: { spec, names } }: ReadingSession,
  input: PassInput,
  { name, columns, key }: TableCatalog,
  gateway: string,
): FlinkPassInput {
  const table = {
    database: spec.source.postgres.database,
    schema: name.schema,
    table: name.table,
    columns,
    key,
    server: names.topicPrefix,
  };
  // Flink resolves the secrets itself, so only this line applies the rules of the worker's operator
  // to them.
  for (const secret of secretsOfEngine(spec))
    deps.secret(secret, hostsOf(spec.kafka.brokers), 'allow');
  return { ...input, gateway, spec, windowTopic: names.windowTopic, table };
}
