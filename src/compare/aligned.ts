// Batch-aligned mode: rows that a finished run of the batch stored, against what the stream holds, for keys that no later input can change. PURE.
// A difference where the stream agrees with the batch's own query is the batch's mistake, not the stream's: its stored result contradicts the source.
import type { Counts, Difference } from '../domain/evidence/window.js';
import { compareRows, keyRecord, type Shape, type StreamRow } from './comparison.js';

export interface AlignedSides {
  /** Closed rows of the batch's result table: key → row (null = could not be decoded). */
  readonly stored: ReadonlyMap<string, string | null>;
  /** The stream's rows, whether their keys are closed or not. */
  readonly stream: ReadonlyMap<string, Pick<StreamRow, 'row' | 'why'>>;
  /** Closed keys that only the stream has. */
  readonly streamOnly: readonly string[];
  /** The batch's query, run on the source in this window. */
  readonly queried: ReadonlyMap<string, string | null>;
}

export interface Aligned {
  readonly counts: Counts;
  /** The number of differences in which the stream equals the query. */
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
