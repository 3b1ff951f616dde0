// The common part of all folds of a topic: how far each partition was read, and which records were
// unreadable. Most folds also keep one row per key. PURE.
import { type Canon } from './column-types.js';
import { Undecodable, WrongType } from './undecodable.js';
import { MOST_REFUSED, type Refused } from './refused.js';
import { joinRow, type ComparedColumn, type Shape, type StreamRow } from './comparison.js';

/** The part of a partition's log that a fold has read completely. */
export interface ReadPart {
  readonly partition: number;
  /** The next offset to read. */
  readonly next: number;
  /** The log's first offset when it was read. */
  readonly low: number;
  /** The epoch of the leader that served the last read; -1 = unknown. */
  readonly epoch: number;
}

export class FoldProgress {
  /** Records that could not be believed at all: each makes the window inconclusive. */
  unreadable = 0;
  /** The first of them. */
  readonly refused: Refused[] = [];
  /** The partition of the next records. With `partitions` = 0 their places are not checked. */
  readonly place = { partition: 0, partitions: 0 };
  /**
   * The id of the topic that was read; null before the first read, or when the brokers have no ids.
   */
  topicId: string | null = null;
  readonly #parts = new Map<number, ReadPart>();

  /** Next offset to read of a partition, or undefined when it was never read. */
  nextOffset(partition: number): number | undefined {
    return this.#parts.get(partition)?.next;
  }

  get read(): readonly ReadPart[] {
    return [...this.#parts.values()];
  }

  /** The records that come next are of this partition of so many. */
  readFrom(partition: number, partitions: number): void {
    Object.assign(this.place, { partition, partitions });
  }

  refuse(record: Refused): void {
    this.unreadable += 1;
    if (this.refused.length < MOST_REFUSED) this.refused.push(record);
  }

  /**
   * Records the part that was read. The log's beginning is that of the first read, because the fold
   * holds what was there.
   */
  readUpTo(part: ReadPart): void {
    const low = this.#parts.get(part.partition)?.low ?? part.low;
    this.#parts.set(part.partition, { ...part, low });
  }
}

export class Fold extends FoldProgress {
  readonly rows = new Map<string, StreamRow>();
}

const MOST_SHOWN = 200;

/** A stream-side row from its values; one that has no canonical form says which column is to blame, and what it holds. */
export function streamRow(
  shape: Shape,
  canon: (column: ComparedColumn) => Canon,
  raw: (name: string) => unknown,
): StreamRow {
  const values: Canon[] = [];
  for (const column of shape.columns) {
    try {
      values.push(canon(column));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      const found = `${error.message}: ${JSON.stringify(raw(column.name)) ?? 'nothing'}`.slice(
        0,
        MOST_SHOWN,
      );
      return {
        row: null,
        why: {
          class: error instanceof WrongType ? 'type' : 'undecodable',
          column: column.name,
          found,
        },
        mark: 0,
      };
    }
  }
  return { row: joinRow(values), mark: 0 };
}
