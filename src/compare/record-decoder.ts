// Defines how records in a binary format become the JSON that the folds read.
import type { Place } from './enc/change.js';

/** Receives a record, whose key and value are ranges of `bytes`. A missing one begins at -1. */
export type TakeRecord = (
  offset: number,
  bytes: Buffer,
  keyStart: number,
  keyEnd: number,
  start: number,
  end: number,
) => void;

/**
 * Rewrites a batch of records. It also checks the partition of each record, which JSON no longer
 * shows.
 */
export interface RecordDecoder {
  /**
   * The ids of schemas that the batch needs and the decoder does not know. While there are any, the
   * batch is incomplete and MUST be read again.
   */
  readonly wanted: ReadonlySet<number>;
  /** Gives the text of a schema. Null means that no schema has this id. */
  learn(id: number, schema: string | null): void;
  /** Discards the last batch, and begins one for records of this place. */
  begin(place: Place): void;
  /** Adds a record. One that cannot be rewritten becomes a text that every reader refuses. */
  add: TakeRecord;
  /** Passes on the batch in its order. The bytes are valid until the next `begin`. */
  visit(take: TakeRecord): void;
}
