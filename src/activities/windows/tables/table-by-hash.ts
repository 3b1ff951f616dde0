// Compares a table with its topic by row hashes, which is fast and needs little memory. For rows
// that the hashes do not prove equal, the drill-down compares the raw rows of both sides.
import { blockRanges } from '../../../clients/postgres/block-ranges.js';
import { blocksOf } from '../../../clients/postgres/catalog.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import type { SourceClient } from '../../../clients/postgres/connection.js';
import { runHashCanary, type Candidate } from '../../../compare/hash-comparison.js';
import type { Shape } from '../../../compare/row-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { TableSide } from '../../../compare/table-side.js';
import { Problem } from '../../../domain/failure.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import type { Counts } from '../../../domain/evidence/counts.js';
import type { Difference } from '../../../domain/evidence/window.js';
import { drillDown } from './drill-down.js';
import type { TopicEnds, TopicReading } from '../folds/fold-table.js';
import { refusedRecords } from './refused-records.js';
import { selectOf } from './select-statement.js';

/**
 * The number of canaries. A canary is a corrupted copy of a row, which each comparison must find.
 */
export const CANARY_ROWS = 9;
/**
 * A pass reads a table in ranges of this many blocks (32 MB). It stops at the end of a range if the
 * fold has failed. It also stops there if most of the rows read so far are not proven equal, and
 * these rows are too many for the drill-down.
 */
const RANGE_BLOCKS = 4096;

export interface TablePass {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
  /** The number of rows of the table that this pass read. */
  readonly rowsRead: number;
  /**
   * The number of keys that this pass did not read. An earlier pass or a range scan proved them
   * equal, and neither side has changed them since. Absent if this pass read every row.
   */
  readonly provenEarlier?: number;
  /** The number of rows that were read before this pass, in shorter snapshots. */
  readonly walkedRows?: number;
  /** True if the pass stopped early, because most of the rows that it read are not proven equal. */
  readonly isStopped?: boolean;
  readonly foldMs?: number;
  readonly canary: { planted: number; found: number };
  /** The digest of the stream side at the offsets that were read. */
  readonly digest?: string;
  /**
   * Says how the pass read the rows, such as in parts on disk, or only the changed rows. If the
   * witness cannot be used, so that the pass read every row, the note says this, too. Absent for an ordinary full pass in
   * memory.
   */
  readonly note?: string;
}

export interface PassInput extends TopicReading {
  readonly ends: TopicEnds;
  readonly shape: Shape;
  readonly snapshot: SnapshotVisibility;
  readonly reader: SourceClient;
  /** The table, quoted. */
  readonly from: string;
  readonly isPartitioned: boolean;
  readonly rowsPerSecond: number;
}

/**
 * The number of rows (48 MB, or 64 MB for long keys) that may wait while the topic is being folded.
 * If a range ends with this number or more, the pass waits for the fold before the next range.
 */
const MOST_WAITING = 1 << 21;

/**
 * Compares the table with its topic by hashes. Reads the table while the topic is still being
 * folded. The fold reads up to `ends`, and applies only changes that the snapshot sees. Throws the
 * errors of Postgres and Kafka, but only after the fold has ended.
 */
export async function passByHash(input: PassInput, folding: Promise<HashFold>): Promise<TablePass> {
  const side = new TableSide(input.shape);
  try {
    const { sample, isStopped } = await readBeside(input, side, folding);
    const fold = await folding;
    const comparison = side.meet(fold);
    const { rowsRead, matched, duplicates, candidates, suspects } = comparison;
    // Only a complete pass knows the keys that only the stream has. A pass that stopped early does
    // not look for them.
    const onlyStream = isStopped ? { extraneous: 0, keys: [] } : comparison.finish();
    const pass = await judged(
      input,
      fold,
      { rowsRead, matched, duplicates, candidates, ...suspects, ...onlyStream },
      runHashCanary(input.shape, sample),
    );
    return isStopped ? { ...pass, isStopped } : pass;
  } finally {
    await folding.catch(() => undefined); // later windows use the fold, so it must be complete
  }
}

/**
 * Reads the table while its topic is being folded. Returns some rows for the canary, and whether
 * the reading stopped because most rows are not proven equal.
 */
async function readBeside(
  { reader, from, shape, rowsPerSecond }: PassInput,
  side: TableSide,
  folding: Promise<HashFold>,
): Promise<{ sample: readonly Uint8Array[]; isStopped: boolean }> {
  let isFolded = false;
  const settled = (): void => void (isFolded = true);
  folding.then(settled, settled);
  const sample: Uint8Array[] = [];
  for (const range of blockRanges(await blocksOf(reader, from), RANGE_BLOCKS)) {
    if (!side.comparison && (isFolded || side.waiting >= MOST_WAITING)) side.meet(await folding);
    if (side.comparison?.isSystematic) return { sample, isStopped: true };
    const select = `${selectOf(shape, from)} WHERE ${range}`;
    await copyRows(reader, select, { rowsPerSecond }, (bytes, at) => {
      const end = side.add(bytes, at);
      if (sample.length < CANARY_ROWS) sample.push(Uint8Array.from(bytes.subarray(at, end)));
      return end;
    });
  }
  return { sample, isStopped: false };
}

/** Throws Problem `unsupported` if rows of the table repeat a key. */
export function refuseDuplicates({ from, shape }: PassInput, duplicates: number): void {
  if (duplicates === 0) return;
  throw new Problem(
    'unsupported',
    `${duplicates} rows of ${from} repeat a key (${shape.key.join(', ')})`,
  );
}

/** The findings of a pass over the hashes. */
export interface Found {
  readonly rowsRead: number;
  readonly matched: number;
  readonly duplicates: number;
  readonly missing: number;
  readonly mismatched: number;
  readonly unknown: number;
  readonly extraneous: number;
  /** The first rows of the table that are not proven equal. */
  readonly candidates: readonly Candidate[];
  /** The first keys that only the stream has. */
  readonly keys: readonly string[];
}

/**
 * Turns hash findings into counts and classes. For rows that the hashes do not prove equal, the
 * drill-down compares the raw rows of both sides.
 */
export async function judged(
  input: PassInput,
  fold: HashFold,
  found: Found,
  canary: TablePass['canary'],
): Promise<TablePass> {
  const {
    rowsRead,
    matched,
    duplicates,
    missing,
    mismatched,
    unknown,
    extraneous,
    candidates,
    keys,
  } = found;
  refuseDuplicates(input, duplicates);
  const suspected = missing + mismatched + unknown;
  const base = { rowsRead, canary };
  const byHash: Counts = {
    matched,
    missing,
    extraneous,
    mismatched,
    unstable: 0,
    unknown: unknown + fold.unreadable,
  };
  const refused = await refusedRecords(input.kafka, input.topic, input.shape, fold);
  if (suspected + extraneous === 0) return { ...base, counts: byHash, differences: refused };
  const drilled = await drillDown({ ...input, candidates, extraneous: keys }, fold);
  const { counts } = drilled;
  const differences = [...drilled.differences, ...refused];
  // If only a part of the candidates was examined, the counts come from the hashes, and the
  // examined candidates are a sample.
  const isWhole = candidates.length === suspected && keys.length === extraneous;
  if (!isWhole) return { ...base, counts: byHash, differences };
  return {
    ...base,
    counts: {
      ...counts,
      matched: matched + counts.matched,
      unknown: counts.unknown + fold.unreadable,
    },
    differences,
  };
}
