// Lists the rules by which a shared table passes from the batch to the stream, and their mutants. A
// mutant is this protocol without one of its rules. Until the commit, the sink writes to a staging
// table.

/** The rules of the protocol. */
export const SHARED_RULES = {
  /** The commit drops the staging table. */
  dropsStaging: true,
  /** The commit locks the staging table before it reads it. */
  locksStaging: true,
  /** The rows move to the shared table in the transaction that writes the lease row. */
  copiesInCommit: true,
  /** The trigger stays after the commit. */
  guardsAfterCommit: true,
  /** After the commit, the trigger checks the role of the writer. */
  knowsRole: true,
  /** After the commit, the trigger also checks the epoch in which the writer became the owner. */
  knowsEpoch: true,
  /** The trigger refuses writes by the stream's role before the commit. */
  refusesStreamBefore: true,
  /**
   * After the sink has moved to the shared table, it continues from the offsets that it committed
   * for the staging table.
   */
  keepsOffset: true,
  /** A task of the sink commits its offset only after it has written its records. */
  writesFirst: true,
  /** After a crash, the run reads the lease row and does not trust its own memory. */
  believesRow: true,
};
export type SharedRules = typeof SHARED_RULES;

/**
 * The name of each mutant, its change of the rules, and the invariant that it breaks (S1 to S4 in
 * docs/explanation/cutover.md).
 */
export const SHARED_MUTANTS: readonly (readonly [string, Partial<SharedRules>, RegExp])[] = [
  ['the staging table stayed', { dropsStaging: false }, /S1/],
  ['the staging table was read without a lock', { locksStaging: false }, /S1/],
  ['the rows moved before the commit', { copiesInCommit: false }, /S[14]/],
  ['the commit dropped the trigger', { guardsAfterCommit: false }, /S[23]/],
  ['the trigger did not ask who writes', { knowsRole: false }, /S2/],
  ['the trigger knew the role and not the epoch', { knowsEpoch: false }, /S3/],
  [
    'the stream could write to the table while the batch owns it',
    { refusesStreamBefore: false },
    /S[23]/,
  ],
  ['the moved sink began at the end of its topic', { keepsOffset: false }, /S1/],
  ['a task committed its offset before it wrote', { writesFirst: false }, /S1/],
  ['a crash after the commit was not noticed', { believesRow: false }, /S[124]/],
];
