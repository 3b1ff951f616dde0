// Builds conditions that look up many integer keys, so that the source reads few blocks.

/**
 * The maximum number of keys in one lookup. Rows with neighboring keys are often in the same block,
 * and one lookup reads each block only once.
 */
const LOOKUP_KEYS = 10_000;
/**
 * Keys are looked up as a range if at least this many of them are consecutive. On PostgreSQL 16 and
 * older, each key of a list costs a descent of the index.
 */
const WORTH_A_RANGE = 100;

/**
 * Makes the planner use a bitmap scan, which collects the places of all rows from the index before
 * it reads the first row. An index scan reads rows in the order of their keys. It could read a
 * block many times, because updates have moved rows away from the rows with neighboring keys. The
 * setting holds until the transaction ends.
 */
export const READ_EACH_BLOCK_ONCE =
  'SET LOCAL enable_bitmapscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off';
/** Undoes `READ_EACH_BLOCK_ONCE`. */
export const READ_AS_USUAL =
  'SET LOCAL enable_bitmapscan = DEFAULT; SET LOCAL enable_indexscan = DEFAULT; SET LOCAL enable_seqscan = DEFAULT';

/** Returns SQL conditions on `column` that are together true for exactly these keys. */
export function* lookUps(column: string, keys: readonly bigint[]): Generator<string> {
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (let at = 0; at < sorted.length; at += LOOKUP_KEYS)
    yield conditionOf(column, sorted.slice(at, at + LOOKUP_KEYS));
}

function conditionOf(column: string, sorted: readonly bigint[]): string {
  const ranges: string[] = [];
  const single: bigint[] = [];
  for (let at = 0; at < sorted.length;) {
    const end = endOfRun(sorted, at);
    if (end - at < WORTH_A_RANGE) for (const key of sorted.slice(at, end)) single.push(key);
    else ranges.push(`${column} BETWEEN ${sorted[at]!} AND ${sorted[end - 1]!}`);
    at = end;
  }
  if (single.length > 0) ranges.push(`${column} = ANY ('{${single.join(',')}}')`);
  return ranges.join(' OR ');
}

/** Returns the index after the last of the consecutive keys that begin at `at`. */
function endOfRun(sorted: readonly bigint[], at: number): number {
  let end = at + 1;
  while (end < sorted.length && sorted[end] === sorted[end - 1]! + 1n) end += 1;
  return end;
}
