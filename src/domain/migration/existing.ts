// Defines the part of a spec that names what already runs.
/** Parts that already run. Only `sluice compare` reads them; a migration creates its own. */
export interface ExistingSpec {
  /**
   * The topics of the tables: one pattern with `{schema}` and `{table}`, or a topic for each table.
   */
  readonly topics?: string | Readonly<Record<string, string>> | undefined;
  /** The slot whose reader writes these topics. */
  readonly slot?: string | undefined;
  /** The connector that reads the slot. Its configuration is compared, and never changed. */
  readonly connector?: string | undefined;
}
