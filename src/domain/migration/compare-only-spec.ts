// Defines `spec.existing`, which names topics, a slot, a publication and a connector that already
// exist.
/** Objects that already exist. `sluice compare` reads them, and `adopt: true` adopts them. */
export interface ExistingSpec {
  /**
   * The topics of the tables: one pattern with `{schema}` and `{table}`, or a topic for each table.
   */
  readonly topics?: string | Readonly<Record<string, string>> | undefined;
  /** The slot whose reader writes to these topics. */
  readonly slot?: string | undefined;
  /** The publication that the connector reads. */
  readonly publication?: string | undefined;
  /**
   * The connector that reads the slot. Sluice checks the connector's configuration, and never
   * changes it.
   */
  readonly connector?: string | undefined;
}
