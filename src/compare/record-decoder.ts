// Defines the interface of a decoder, which rewrites records as the JSON that the folds read.
import type { Place } from './enc/change.js';

/**
 * Receives a record, whose key and value are ranges of `bytes`. A missing key or value begins at
 * -1.
 */
export type TakeRecord = (
  offset: number,
  bytes: Buffer,
  keyStart: number,
  keyEnd: number,
  start: number,
  end: number,
) => void;

/**
 * Receives a rewritten record. `spelling` is the hash of the key's original bytes. It distinguishes
 * keys that have the same JSON. It is 0 if the record has no key.
 */
export type TakeDecoded = (...record: [...Parameters<TakeRecord>, spelling: number]) => void;

/** The content of a topic: change events of a connector, or rows that a pipeline wrote. */
export type Content = 'changes' | 'rows';

/**
 * Rewrites a batch of records. Also checks the partition of each record. Kafka computes the
 * partition from the bytes of the key, which the JSON no longer contains.
 */
export interface RecordDecoder {
  /** The type of the schemas, as the registry names it. */
  readonly schemaType: string;
  /**
   * The ids of schemas that the batch needs and the decoder does not know. If there are any, the
   * batch is incomplete. The caller then MUST call `learn` for each of them, and read the batch
   * again.
   */
  readonly wanted: ReadonlySet<number>;
  /**
   * The id of the first key's schema. Null before the first key. With a different schema, the same
   * key has different bytes, so it may be in a different partition. A reader that continues a topic
   * sets this field to the id from its earlier reading.
   */
  keySchema: number | null;
  /** Takes the text of a schema. Null means that no schema has this id. */
  learn(id: number, schema: string | null): void;
  /**
   * Discards the last batch, and begins a new batch for records of this place. If `partitions` of
   * the place is 0, the partition of a record is not checked.
   */
  begin(place: Place): void;
  /** Adds a record. A record that cannot be rewritten becomes a text that every reader refuses. */
  add: TakeRecord;
  /** Passes the batch's records to `take` in order. The bytes are valid until the next `begin`. */
  visit(take: TakeDecoded): void;
}
