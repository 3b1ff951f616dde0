// Defines the base classes of folds. A fold reads a topic and keeps the latest record of each key,
// as a row or as a hash. FoldProgress keeps how far each partition was read, and the refused
// records.
import { type Canon } from './column-types.js';
import { jsonOf } from './json.js';
import { Undecodable, WrongType } from './undecodable.js';
import { MOST_REFUSED, type Refused } from './refused.js';
import {
  joinRow,
  type ComparedColumn,
  type Shape,
  type StreamRow,
  type WhyNot,
} from './row-comparison.js';

/**
 * The progress of a fold in a partition. The fold has taken exactly the records of the partition
 * with the offsets `[low, next)`.
 */
export interface ReadPart {
  readonly partition: number;
  /** The next offset to read. */
  readonly next: number;
  /** The offset at which the partition began when it was first read. */
  readonly low: number;
  /** The leader epoch at the last reading. -1 means unknown. */
  readonly epoch: number;
}

export class FoldProgress {
  /** The number of refused records. A single refused record makes the window inconclusive. */
  unreadable = 0;
  /** The first refused records. */
  readonly refused: Refused[] = [];
  /**
   * The partition of the next records, and the number of partitions. If `partitions` is 0, the fold
   * of a table does not check whether a record is in the right partition. The fold of an output
   * never checks this, because the pipeline may choose a key's partition by its own rule.
   */
  readonly place = { partition: 0, partitions: 0 };
  /** The id of the topic. Null if nothing was read yet, or if the topic has no id. */
  topicId: string | null = null;
  /**
   * The id of the schema of every key that was read. Null in a format without schemas, or if
   * nothing was read yet. A decoder that continues the reading starts with this id, so that it
   * notices a key with a different schema.
   */
  keySchema: number | null = null;
  /**
   * True if a record was refused because the registry lacked its schema. If the registry gets that
   * schema back, the record can be read, but this fold does not read it again. So no later window
   * may use this fold.
   */
  lacksSchema = false;
  /** The time (epoch ms) at which the last complete reading began. Null if there was none. */
  readAt: number | null = null;
  readonly #parts = new Map<number, ReadPart>();
  #settled: ReadonlyMap<number, number> = new Map();

  /**
   * Returns the offset to read next in a partition, or undefined if the partition was never read.
   */
  nextOffset(partition: number): number | undefined {
    return this.#parts.get(partition)?.next;
  }

  get read(): readonly ReadPart[] {
    return [...this.#parts.values()];
  }

  /**
   * Returns an offset. An earlier window's snapshot saw the transactions of all records before it,
   * so every later snapshot sees them too, and these records need no check.
   */
  settledUpTo(partition: number): number {
    return this.#settled.get(partition) ?? 0;
  }

  /** Remembers that the last snapshot sees the transactions of all records that were read. */
  settle(): void {
    this.#settled = new Map(this.read.map(({ partition, next }) => [partition, next]));
  }

  /** Sets the partition of the next records. */
  readFrom(partition: number, partitions: number): void {
    Object.assign(this.place, { partition, partitions });
  }

  refuse(record: Refused): void {
    this.unreadable += 1;
    if (this.refused.length < MOST_REFUSED) this.refused.push(record);
  }

  /**
   * Remembers how far a partition was read. Keeps `low` from the first reading, because the fold
   * has taken all records from that offset on.
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

/**
 * The canonical texts of a row's columns. If a column has no canonical text, `values` is null, and
 * `why` may name the column.
 */
export interface CanonValues {
  readonly values: readonly Canon[] | null;
  readonly why?: WhyNot;
}

/** Builds a row of the stream from its values. */
export const rowOf = ({ values, why }: CanonValues): StreamRow => ({
  row: values && joinRow(values),
  ...(why ? { why } : {}),
  mark: 0,
});

/** Reads the values of a row, and builds the row of the stream from them. */
export const streamRow = (...from: Parameters<typeof canonValues>): StreamRow =>
  rowOf(canonValues(...from));

/**
 * Reads the values of a row. `raw` returns a column's value as the record contains it. If this
 * value cannot be decoded, `why` in the result shows it.
 */
export function canonValues(
  shape: Shape,
  canon: (column: ComparedColumn) => Canon,
  raw: (name: string) => unknown,
): CanonValues {
  const values: Canon[] = [];
  for (const column of shape.columns) {
    try {
      values.push(canon(column));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      const found = `${error.message}: ${jsonOf(raw(column.name)) ?? 'nothing'}`.slice(
        0,
        MOST_SHOWN,
      );
      const isWrong = error instanceof WrongType;
      return {
        values: null,
        why: { class: isWrong ? 'type' : 'undecodable', column: column.name, found },
      };
    }
  }
  return { values };
}
