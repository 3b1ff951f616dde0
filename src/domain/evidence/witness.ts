// A witness names the rows that changed in the source between the full pass and the final window.
// It is a temporary slot that Sluice creates, so it depends neither on Debezium nor on Kafka.

/** If every table has fewer rows than this, a full pass under the fence is as fast as a witness. */
export const WITNESS_FROM_ROWS = 20_000;

/** With more changed keys than this, the final window reads every row instead. */
export const MOST_WITNESSED = 200_000;

/** Describes how a final window used the witness, for the evidence and the report. */
export interface WitnessProof {
  /** The window that read every row before the fence. */
  readonly passedBefore: number;
  /** The number of rows that this window counted in the table. */
  readonly rowsBefore: number;
  readonly inserted: number;
  readonly deleted: number;
  /** The number of keys that changed in the source since that window, according to the witness. */
  readonly changedAtSource: number;
  /** The number of keys that have new records in the topic since that window. */
  readonly changedOnTopic: number;
}

/**
 * The key types whose values the fold keeps, so that rows can be looked up by key. For other types,
 * the fold keeps only a hash of the key.
 */
export const WITNESS_KEYS: readonly string[] = ['int2', 'int4', 'int8'];
