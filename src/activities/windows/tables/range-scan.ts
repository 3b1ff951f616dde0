// Reads a long table range by range. Each range has its own short snapshot, so that no transaction
// lasts for more than one range. The fold, which holds what was read from the topic, remembers the
// keys that differed. It also remembers the keys that the topic changed after the first snapshot.
//
// Then the window takes its own snapshot. In this snapshot, it reads the rows of the remembered
// keys. It also reads the rows that the source changed after the first snapshot (see
// changed-rows.ts). No row is missed:
//
// - A row that no transaction has changed since the first snapshot has not moved. Its range was
//   read, so the row was equal or its key was remembered.
// - Every other row has an xmin newer than the first snapshot. The window selects such rows by
//   xmin, wherever they are.
// - A rewrite of the table (VACUUM FULL, CLUSTER) moves rows without changing their xmin, so it
//   voids the scan.
import { blockRanges } from '../../../clients/postgres/block-ranges.js';
import { blocksOf, storageOf, type TableCatalog } from '../../../clients/postgres/catalog.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import type { Shape } from '../../../compare/row-comparison.js';
import { HashComparison } from '../../../compare/hash-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { qualified } from '../../../domain/migration/names.js';
import { parseSnapshot, type SnapshotVisibility } from '../../../domain/values/position.js';
import { foldTable } from '../folds/fold-table.js';
import { BARRIER_LIMIT_MS } from '../../../domain/capture/capture.js';
import { markOf, type ConnectedReading } from '../session.js';
import { selectOf } from './select-statement.js';
import { boundedNow, snapshotText } from './visibility.js';

/** The default for the size in bytes above which a table is read range by range. */
export const SNAPSHOT_BYTES = 512 * 2 ** 20;
const BLOCK_BYTES = 8192;

export interface Walk {
  readonly snapshots: number;
  readonly rowsRead: number;
  /** Identifies the files that held the rows during the scan. */
  readonly storage: string;
}

/** The input of a range scan. The session's reader MUST NOT have an open transaction. */
export interface WalkInput extends ConnectedReading {
  readonly catalog: TableCatalog;
  readonly topic: string;
  readonly shape: Shape;
}

/**
 * Scans the table range by range. Returns null if the table is short, or if a range scan cannot
 * decide; the window then reads the table in its own snapshot.
 */
export async function walkAhead(
  input: WalkInput,
  foldOf: () => Promise<HashFold | null>,
): Promise<Walk | null> {
  const { deps, reader, catalog } = input;
  const from = qualified(catalog.name);
  const size = Math.ceil((deps.snapshotBytes ?? SNAPSHOT_BYTES) / BLOCK_BYTES);
  const ranges = blockRanges(await blocksOf(reader, from), size);
  if (ranges.length === 1) return null;
  const fold = await foldOf();
  if (fold?.encoder.keyWords !== 2) return null;
  const storage = await storageOf(reader, from);
  // Reading the whole topic takes a long time. It needs only the text of a snapshot, not an open
  // transaction.
  const first = parseSnapshot(await snapshotText(reader));
  await readTopic(input, fold, first);
  if (fold.unreadable > 0) return null;
  fold.rememberFrom(first);
  const selects = ranges.map((range) => `${selectOf(input.shape, from)} WHERE ${range}`);
  const rowsRead = await walkRanges(input, fold, selects).catch((error: unknown) => {
    // Some rows were not read. A later window must not treat these rows as proven equal.
    fold.rememberFrom(null);
    throw error;
  });
  if (rowsRead === null) fold.rememberFrom(null);
  return rowsRead === null || fold.provenAt === null
    ? null
    : { snapshots: ranges.length, rowsRead, storage };
}

/**
 * Compares all ranges. Returns the number of rows, or null if only the window's own snapshot can
 * decide.
 */
async function walkRanges(
  input: WalkInput,
  fold: HashFold,
  selects: readonly string[],
): Promise<number | null> {
  let rowsRead = 0;
  for (const select of selects) {
    const rows = await walkRange(input, fold, select);
    if (rows === null) return null;
    rowsRead += rows;
  }
  return rowsRead;
}

/** Compares one range. Returns what `walkRanges` returns, for this range. */
async function walkRange(input: WalkInput, fold: HashFold, select: string): Promise<number | null> {
  const { plan, reader, side, heartbeat } = input;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const snapshot = parseSnapshot(await snapshotText(reader));
    const mark = await markOf(input, { snapshot: reader, side, token: 'walk' });
    if ((await mark.reached(Date.now() + BARRIER_LIMIT_MS)) !== null) return null;
    await readTopic(input, fold, snapshot);
    const comparison = new HashComparison(fold.table, fold.encoder);
    const { rowsPerSecond } = plan.spec.source.limits;
    await copyRows(reader, select, { rowsPerSecond }, (bytes, at) => comparison.add(bytes, at));
    heartbeat();
    // so many rows differ that not all of their keys can be remembered
    if (comparison.suspected > comparison.candidates.length) return null;
    for (const { key } of comparison.candidates) fold.suspect(key);
    return fold.provenAt !== null && fold.unreadable === 0 ? comparison.rowsRead : null;
  } finally {
    await reader.query('ROLLBACK');
  }
}

async function readTopic(
  input: WalkInput,
  fold: HashFold,
  snapshot: SnapshotVisibility,
): Promise<void> {
  const ends = await input.kafka.offsets(input.topic);
  await foldTable(input, fold, ends, await boundedNow(input.side, snapshot));
}
