// Compares in batch-aligned mode: the stored rows of a finished batch run with the rows of the
// stream. Only keys that no later input can change are compared. A stored row may differ from the
// stream. If the stream then agrees with the batch's own query, the batch made the mistake.
import type { Counts } from '../domain/evidence/counts.js';
import type { Difference } from '../domain/evidence/window.js';
import { compareRows, keyRecord, type Shape, type StreamRow } from './row-comparison.js';

export interface AlignedSides {
  /** The batch's stored rows by key, for closed keys only. An undecodable row is null. */
  readonly stored: ReadonlyMap<string, string | null>;
  /** The rows of the stream, whether their keys are closed or not. */
  readonly stream: ReadonlyMap<string, Pick<StreamRow, 'row' | 'why'>>;
  /** The closed keys that only the stream has. */
  readonly streamOnly: readonly string[];
  /** The result of the batch's query, run on the source for this comparison, by key. */
  readonly queried: ReadonlyMap<string, string | null>;
}

export interface Aligned {
  readonly counts: Counts;
  /** How many of the `mismatched` keys the batch got wrong: the stream agrees with the query. */
  readonly batchWasWrong: number;
  readonly differences: readonly Difference[];
}

export function compareAligned(
  shape: Shape,
  { stored, stream, streamOnly, queried }: AlignedSides,
): Aligned {
  const counts = { matched: 0, missing: 0, extraneous: 0, mismatched: 0, unstable: 0, unknown: 0 };
  const differences: Difference[] = [];
  let batchWasWrong = 0;
  const isQueried = (key: string, row: string | null | undefined): boolean =>
    row === undefined
      ? !queried.has(key)
      : compareRows(shape, key, queried.get(key) ?? null, row, () => undefined) === 'matched';
  const contradicts = (found: readonly Difference[]): void => {
    counts.mismatched += 1;
    batchWasWrong += 1;
    differences.push(...found.map((d) => ({ ...d, class: 'batch-was-wrong' as const })));
  };
  for (const [key, row] of stored) {
    const other = stream.get(key);
    const found: Difference[] = [];
    const outcome = other
      ? compareRows(shape, key, row, other.row, (d) => found.push(d), other.why)
      : 'missing';
    if (!other)
      found.push({
        class: 'missing',
        key: keyRecord(shape, key),
        column: null,
        batch: row,
        stream: null,
      });
    if (outcome !== 'matched' && outcome !== 'unknown' && isQueried(key, other?.row))
      contradicts(found);
    else {
      counts[outcome] += 1;
      differences.push(...found);
    }
  }
  for (const key of streamOnly) {
    const row = stream.get(key)?.row ?? null;
    const found: Difference = {
      class: 'extraneous',
      key: keyRecord(shape, key),
      column: null,
      batch: null,
      stream: row,
    };
    if (isQueried(key, row)) contradicts([found]);
    else {
      counts.extraneous += 1;
      differences.push(found);
    }
  }
  return { counts, batchWasWrong, differences };
}
