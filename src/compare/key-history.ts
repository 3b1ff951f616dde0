// Explains by its records how a key came to differ: its last record is older than an earlier one,
// or repeats one. PURE.
import type { Difference } from '../domain/evidence/window.js';
import { joinRow, type Shape } from './comparison.js';
import type { Change } from './table-fold.js';

export class KeyHistory {
  /** Records that repeat a WAL position of another record of the key. */
  repeated = 0;
  /** True if the last record has an older position, so the stream returned to an older version. */
  wentBack = false;
  /**
   * True if the stream still has a row that an earlier window proved equal. The source has changed
   * since.
   */
  wasProven = false;
  #newest: bigint | null = null;

  /** The records in the topic's order. A row of the initial load has no position. */
  add({ lsn, txId }: Pick<Change, 'lsn' | 'txId'>, wasProven: boolean): void {
    this.wasProven = wasProven;
    if (lsn === null || txId === null) return;
    const at = BigInt(lsn);
    this.wentBack = this.#newest !== null && at < this.#newest;
    if (at === this.#newest) this.repeated += 1;
    if (this.#newest === null || at > this.#newest) this.#newest = at;
  }
}

/**
 * Turns differences into `stale` if the stream has an older version. Lists repeated records, which
 * are not counted elsewhere.
 */
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
