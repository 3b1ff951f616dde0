// A later window over a table whose keys were all proven equal reads only what changed on either
// side since, and a rotating tenth of the rest.
// This is as good as a full pass. A row that the source changed has a younger xmin, and the fold
// remembers keys that the topic changed; both are read and compared. Rows that neither side changed
// are still equal. A deleted row leaves no xmin, so the independent count must then differ: no
// change that was not examined can compensate for it. Some changes have neither a younger xmin nor
// a record, such as a swapped partition or a renamed enum label. They change the table's facts, and
// then a window is full. A full pass judges every answer but "all equal".
import { blocksOf } from '../../../clients/postgres/catalog.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import { keyOf } from '../../../compare/enc/key-table.js';
import { HashComparison, runHashCanary } from '../../../compare/hash-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { quoteIdent } from '../../../domain/migration/names.js';
import { CANARY_ROWS, type PassInput, type TablePass } from './by-hash.js';
import { selectOf } from './select.js';

const SCRUB_PARTS = 10;
const XID_WORD = 2 ** 32;
const MOST_AGE = 2 ** 31 - 2 ** 24; // the counter moves on while the window reads
/** A full pass over fewer rows is as fast. */
export const WORTH_IT_ROWS = 20_000;

/**
 * `counted` = rows of the table in this snapshot; `number` chooses the scrubbed tenth. Null = only
 * a full pass can tell.
 */
export async function passIncrementally(
  input: PassInput,
  fold: HashFold,
  counted: number,
  number: number,
): Promise<TablePass | null> {
  const { shape, from, reader, rowsPerSecond } = input;
  if (!fold.provenAt || fold.encoder.keyWords !== 2 || fold.unreadable > 0) return null;
  // age() has 31 bits and a sign, so it cannot tell a row's xmin from one half an epoch ago.
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
  for (const key of unseen) if (fold.table.find(keyOf(key)) >= 0) return null; // the topic wrote what the table does not hold
  const blocks = await blocksOf(reader, from);
  const part = number % SCRUB_PARTS;
  const bound = (at: number): string => `'(${Math.floor((blocks * at) / SCRUB_PARTS)},0)'::tid`;
  const upTo = part === SCRUB_PARTS - 1 ? '' : ` AND ctid < ${bound(part + 1)}`;
  const changed = comparison.rowsRead;
  // Rows that were read above are excluded, so that each row is read once and the sum of rows read
  // and rows proven earlier equals the count.
  await read(
    `ctid >= ${bound(part)}${upTo} AND NOT (${isYounger})${changedOnTopic ? ` AND NOT (${changedOnTopic})` : ''}`,
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
    note: `${changed} changed and ${comparison.rowsRead - changed} of scrub ${part + 1}/${SCRUB_PARTS} re-read`,
  };
}

/** Two words of a key as the integer they are. */
function integerOf(key: string): string {
  const [high, low] = key.split(',').map(Number) as [number, number];
  return ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
}
