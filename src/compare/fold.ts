// What the folds of a topic share: how far each partition was read, and what could not be understood; most also keep one row per key. PURE.
import { Undecodable, WrongType, type Canon } from './column-types.js';
import { joinRow, type ComparedColumn, type Shape, type StreamRow } from './comparison.js';

export class FoldProgress {
  /** Records that could not be understood at all: each makes the window inconclusive. */
  unreadable = 0;
  readonly #next = new Map<number, number>();

  /** Next offset to read of a partition, or undefined when it was never read. */
  nextOffset(partition: number): number | undefined {
    return this.#next.get(partition);
  }

  /** Partition and next offset of all that was read. */
  get read(): readonly (readonly [partition: number, next: number])[] {
    return [...this.#next];
  }

  readUpTo(partition: number, offset: number): void {
    this.#next.set(partition, offset);
  }
}

export class Fold extends FoldProgress {
  readonly rows = new Map<string, StreamRow>();
}

const MOST_SHOWN = 200;

/** A stream-side row from its values; one that has no canonical form says which column is to blame, and what it holds. */
export function streamRow(shape: Shape, canon: (column: ComparedColumn) => Canon, raw: (name: string) => unknown): StreamRow {
  const values: Canon[] = [];
  for (const column of shape.columns) {
    try {
      values.push(canon(column));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      const found = `${error.message}: ${JSON.stringify(raw(column.name)) ?? 'nothing'}`.slice(0, MOST_SHOWN);
      return { row: null, why: { class: error instanceof WrongType ? 'type' : 'undecodable', column: column.name, found }, mark: 0 };
    }
  }
  return { row: joinRow(values), mark: 0 };
}
