// Explains a difference by the records of its key: the last record is older than an earlier one, or
// repeats it. PURE.
import type { Difference } from '../domain/evidence/window.js';
import { joinRow, type Shape } from './comparison.js';
import type { Change } from './table-fold.js';

export class KeyHistory {
  /** Records at a position of the WAL that another record of the key had already. */
  repeated = 0;
  /** The last record lies before an earlier one: the stream went back to an older version. */
  wentBack = false;
  /** An earlier window proved the row equal that the stream still holds: the source has moved on since. */
  wasProven = false;
  #newest: bigint | null = null;

  /** Adds a record, in the topic's order. A row of the initial load has no position of its own. */
  add({ lsn, txId }: Pick<Change, 'lsn' | 'txId'>, wasProven: boolean): void {
    this.wasProven = wasProven;
    if (lsn === null || txId === null) return;
    const at = BigInt(lsn);
    this.wentBack = this.#newest !== null && at < this.#newest;
    if (at === this.#newest) this.repeated += 1;
    if (this.#newest === null || at > this.#newest) this.#newest = at;
  }
}

/** Differences of keys whose stream side is an older version of the source become `stale`; repeated records are listed, and counted nowhere else. */
export function explainByHistory(
  shape: Shape,
  differences: readonly Difference[],
  histories: ReadonlyMap<string, KeyHistory>,
): Difference[] {
  const explained: Difference[] = [];
  const listed = new Set<string>();
  for (const difference of differences) {
    const name = joinRow(shape.key.map((column) => difference.key[column] ?? null));
    const history = histories.get(name);
    const isStale = difference.class === 'mismatched' && (history?.wentBack || history?.wasProven);
    explained.push(isStale ? { ...difference, class: 'stale' } : difference);
    if (!history || history.repeated === 0 || listed.has(name)) continue;
    listed.add(name);
    explained.push({
      class: 'duplicate',
      key: difference.key,
      column: null,
      batch: null,
      stream: `${history.repeated} records repeat a position`,
    });
  }
  return explained;
}
