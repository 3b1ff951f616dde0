// Explains a difference by the records of its key. For example, the last record is older than an
// earlier one, or a WAL position occurs twice.
import type { Difference } from '../domain/evidence/window.js';
import { joinRow, type Shape } from './row-comparison.js';
import type { Change } from './table-fold.js';

export class KeyHistory {
  /** The number of records that repeat the newest WAL position of the key's earlier records. */
  repeated = 0;
  /**
   * True if the stream went back to an older version of the row. The last record then has an older
   * WAL position than an earlier record.
   */
  wentBack = false;
  /**
   * True if the stream still has a row that an earlier window proved equal. If the row differs now,
   * the source has changed since then.
   */
  wasProven = false;
  #newest: bigint | null = null;

  /**
   * Takes the next record of the key, in the order of the topic. A row of the initial load has no
   * WAL position.
   */
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
 * Returns the differences, with a more exact class if the history explains a difference. A
 * mismatched row becomes `stale` if the stream has an older version of it. For each key of these
 * differences whose records repeat a WAL position, adds one `duplicate`. The counts of the window
 * do not contain it.
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
