// A witness is a temporary replication slot that Sluice creates before it compares all rows (the
// full pass). It shows which rows changed since then, so that the final window reads only these
// rows. With `validation.laterWindows: witness`, other windows use a witness, too. A witness
// depends neither on Debezium nor on Kafka.

/** If every table has fewer rows than this, a final window is fast enough without a witness. */
export const WITNESS_FROM_ROWS = 20_000;

/** With more changes than this, the witness fails. A window without it must read every row. */
export const MOST_WITNESSED = 200_000;

/** Describes how a final window used the witness, for the evidence and the report. */
export interface WitnessProof {
  /** The window that read every row before the fence. */
  readonly passedBefore: number;
  /** The number of rows of the table that the window before the fence counted. */
  readonly rowsBefore: number;
  readonly inserted: number;
  readonly deleted: number;
  /** The number of keys that changed in the source since that window, according to the witness. */
  readonly changedAtSource: number;
  /** The number of keys that have new records in the topic since that window. */
  readonly changedOnTopic: number;
}

/**
 * The types of keys whose values the worker keeps in memory, so that rows can be looked up by key.
 * The worker keeps only a hash of a key of any other type.
 */
export const WITNESS_KEYS: readonly string[] = ['int2', 'int4', 'int8'];
