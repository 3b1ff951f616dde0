// Keeps the changes of a fold whose transactions the last snapshot did not see. A later window
// applies them.
import { isReadLater, type SnapshotVisibility } from '../domain/values/position.js';

export interface WaitingChange {
  /** The transaction that a snapshot must see. Null means that any later snapshot is enough. */
  readonly txId: number | null;
}

export class WaitingChanges<C extends WaitingChange> {
  #all: C[] = [];
  /** The last waiting change of each key. */
  readonly #last = new Map<string, C>();

  get size(): number {
    return this.#all.length;
  }

  get all(): readonly C[] {
    return this.#all;
  }

  add(key: string, change: C): void {
    this.#all.push(change);
    this.#last.set(key, change);
  }

  lastOf(key: string): C | undefined {
    return this.#last.get(key);
  }

  /** Removes and returns all changes, in the order in which they were added. */
  takeAll(): C[] {
    const all = this.#all;
    this.#all = [];
    this.#last.clear();
    return all;
  }
}

/**
 * Returns the `txId` with which a row of a connector's snapshot must wait. Returns undefined if the
 * row does not wait. The transaction `loadedBy` read the row. `earlier` is the last waiting change
 * of its key. The row contains this change, so the row waits as long as the change.
 */
export function loadedRowWaits(
  loadedBy: number,
  earlier: WaitingChange | undefined,
  snapshot: SnapshotVisibility,
): number | null | undefined {
  if (earlier) return earlier.txId;
  return isReadLater(loadedBy, snapshot) ? null : undefined;
}

/** Returns the transaction of a connector's snapshot, or 0 if it is not known. */
export const readerOf = (txId: unknown): number =>
  typeof txId === 'number' && Number.isSafeInteger(txId) ? txId : 0;
