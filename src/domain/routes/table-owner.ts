// In this file, the owner of a shared table is not its owner in Postgres, but its only writer after
// the commit. This is the sink, in a session that has the role `streamRole`.

/**
 * The sink's identity after the commit: the role of its session, and the epoch of the evidence that
 * the commit used.
 */
export interface TableOwner {
  readonly role: string;
  /**
   * `<iteration>.<epoch>`. A sink of an earlier run of this migration, whose task may still run,
   * has a different value.
   */
  readonly since: string;
}

/**
 * Returns the session settings by which the table's trigger recognizes the sink. The server splits
 * the text at white space, unless a backslash precedes it.
 */
export const sessionOptions = ({ role, since }: TableOwner): string =>
  `-c role=${role.replaceAll(/[\\\s]/g, '\\$&')} -c sluice.owner=${since}`;

export const tableOwner = (streamRole: string, iteration: number, epoch: number): TableOwner => ({
  role: streamRole,
  since: `${iteration}.${epoch}`,
});
