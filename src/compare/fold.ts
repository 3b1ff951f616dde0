// What the folds of a topic share: how far each partition was read, and what could not be understood; most also keep one row per key. PURE.
import { type Canon } from './column-types.js';
import { Undecodable, WrongType } from './undecodable.js';
import { MOST_REFUSED, type Refused } from './refused.js';
import { joinRow, type ComparedColumn, type Shape, type StreamRow } from './comparison.js';

/** What a fold has read of a partition: of this log it holds everything, of no other one anything. */
export interface ReadPart {
  readonly partition: number;
  /** The next offset to read. */
  readonly next: number;
  /** Where the log began when it was read. */
  readonly low: number;
  /** Of the leader under which it was read last; -1 = unknown. */
  readonly epoch: number;
}

export class FoldProgress {
  /** Records that could not be believed at all: each makes the window inconclusive. */
  unreadable = 0;
  /** The first of them. */
  readonly refused: Refused[] = [];
  /** Where the records that come next lie; with no partitions nothing is said of their places. */
  readonly place = { partition: 0, partitions: 0 };
  /** Of the topic that was read; null = nothing was read yet, or the brokers give topics no ids. */
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

  /** Where the log began is remembered from the first reading: what lay there then is in the fold. */
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
