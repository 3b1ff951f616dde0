// Compares a table that an earlier window proved equal. This pass reads only the rows that changed
// on either side since that window, and a tenth of the other rows, in rotation. It proves as much
// as a full pass:
//
// - A row that the source changed has an xmin newer than that window's snapshot. The fold, which
//   holds what was read from the topic, remembers the keys that the topic changed. The pass
//   compares all these rows. All other rows are still equal.
// - A deleted row has no xmin. If the topic lacks the delete, the fold has more keys than the table
//   has rows, so the counts differ. A missing insert cannot hide this, because the pass compares
//   every inserted row.
// - Some changes leave neither a newer xmin nor a record, such as a swapped partition or a renamed
//   enum label. Such a change alters the table's facts, and the window then reads every row.
//
// If this pass finds a row that is not proven equal, a full pass decides. After a range scan (see
// range-scan.ts), this pass reads the changes since the first snapshot of the scan.
import { blocksOf } from '../../../clients/postgres/catalog.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import { keyOf } from '../../../compare/enc/key-table.js';
import { HashComparison, runHashCanary } from '../../../compare/hash-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { quoteIdent } from '../../../domain/migration/names.js';
import { CANARY_ROWS, type PassInput, type TablePass } from './table-by-hash.js';
import { selectOf } from './select-statement.js';

const SCRUB_PARTS = 10;
const XID_WORD = 2 ** 32;
// this is less than 2^31, because the transaction counter advances while the window reads
const MOST_AGE = 2 ** 31 - 2 ** 24;
/** For a table with fewer rows than this, a full pass is as fast. */
export const WORTH_IT_ROWS = 20_000;

/**
 * Compares the rows that changed. `counted` is the number of the table's rows in this snapshot.
 * `number` selects the tenth of the other rows that is read again. Returns null if only a full pass
 * can decide.
 */
export async function passIncrementally(
  input: PassInput,
  fold: HashFold,
  counted: number,
  number: number,
): Promise<TablePass | null> {
  const { shape, from, reader, rowsPerSecond } = input;
  if (!fold.provenAt || fold.encoder.keyWords !== 2 || fold.unreadable > 0) return null;
  // age() wraps after 2^31 transactions. Beyond that number, an old xmin seems new, and a new xmin
  // seems old.
  if (input.snapshot.xmax - fold.provenAt.xmin >= MOST_AGE) return null;
  const comparison = new HashComparison(fold.table, fold.encoder);
  const unseen = new Set(fold.changed);
  const sample: Uint8Array[] = [];
  const read = (where: string): Promise<number> =>
    copyRows(reader, `${selectOf(shape, from)} WHERE ${where}`, { rowsPerSecond }, (bytes, at) => {
      const end = comparison.add(bytes, at);
      unseen.delete(comparison.lastKey);
      if (sample.length < CANARY_ROWS) sample.push(Uint8Array.from(bytes.subarray(at, end)));
      return end;
    });
  const isYounger = `age(xmin) <= age('${fold.provenAt.xmin % XID_WORD}'::xid)`;
  await read(isYounger);
  const changedOnTopic =
    unseen.size > 0
      ? `${quoteIdent(shape.key[0]!)} = ANY ('{${[...unseen].map(integerOf).join(',')}}')`
      : null;
  if (changedOnTopic) await read(`NOT (${isYounger}) AND ${changedOnTopic}`);
  // the topic has a key that the table lacks
  for (const key of unseen) if (fold.table.find(keyOf(key)) >= 0) return null;
  const blocks = await blocksOf(reader, from);
  const part = number % SCRUB_PARTS;
  const changed = comparison.rowsRead;
  // The condition excludes the rows that were read above. Each row is then read at most once, so
  // the rows read and the rows proven earlier add up to the count.
  await read(
    `${partOf(blocks, part, SCRUB_PARTS)} AND NOT (${isYounger})${changedOnTopic ? ` AND NOT (${changedOnTopic})` : ''}`,
  );
  if (comparison.suspected + comparison.duplicates > 0 || counted !== fold.table.size) return null;
  return {
    counts: {
      matched: fold.table.size,
      missing: 0,
      extraneous: 0,
      mismatched: 0,
      unstable: 0,
      unknown: 0,
    },
    differences: [],
    rowsRead: comparison.rowsRead,
    provenEarlier: fold.table.size - comparison.matched,
    canary: runHashCanary(shape, sample),
    note: `re-read ${changed} changed rows and ${comparison.rowsRead - changed} rows of scrub ${part + 1}/${SCRUB_PARTS}`,
  };
}

/**
 * Returns the condition for part `part` of `parts` equal parts of a table. The last part has no
 * upper bound.
 */
export function partOf(blocks: number, part: number, parts: number): string {
  const bound = (at: number): string => `'(${Math.floor((blocks * at) / parts)},0)'::tid`;
  const upTo = part === parts - 1 ? '' : ` AND ctid < ${bound(part + 1)}`;
  return `ctid >= ${bound(part)}${upTo}`;
}

/** Returns the integer that a key's two words represent. */
export function integerOf(key: string): string {
  const [high, low] = key.split(',').map(Number) as [number, number];
  return ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
}
