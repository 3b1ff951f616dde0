// Builds SQL that lists partitions, and tables that are related by partitioning or INHERITS.

/**
 * Returns a sub-query with the oid (`relid`) of each partition of a partitioned table, at every
 * depth. `root` is SQL for the oid of the table. The sub-query locks nothing. The function
 * pg_partition_tree would lock the partitions, but not the table. If a later statement then locked
 * the table, a deadlock with DETACH PARTITION would be possible, because DETACH locks the table
 * first.
 */
export const partitionsOf = (root: string): string => `(
  WITH RECURSIVE part(relid) AS (
    SELECT i.inhrelid FROM pg_inherits i JOIN pg_class r ON r.oid = i.inhparent
    WHERE i.inhparent = ${root} AND r.relkind = 'p' AND NOT i.inhdetachpending
    UNION ALL SELECT i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.relid AND NOT i.inhdetachpending
  ) SELECT relid FROM part)`;

/** Returns a sub-query with the oid (`relid`) of a table and of each of its partitions. */
export const withPartitions = (root: string): string =>
  `(SELECT ${root}::oid AS relid UNION SELECT relid FROM ${partitionsOf(root)} p)`;

/**
 * Returns a sub-query with the oid (`relid`) of each table that also shows the rows of this table.
 * This table is a partition of that table or inherits from it, directly or through other tables.
 */
export const ancestorsOf = (root: string): string => `(
  WITH RECURSIVE above(relid) AS (
    SELECT inhparent FROM pg_inherits WHERE inhrelid = ${root}
    UNION SELECT i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.relid
  ) SELECT relid FROM above)`;

/**
 * Returns a sub-query with the oid (`relid`) of a table and of every table that is connected with
 * it through partitioning or INHERITS, in any direction.
 */
export const kinOf = (root: string): string => `(
  WITH RECURSIVE kin(relid) AS (
    SELECT ${root}::oid
    UNION SELECT CASE WHEN i.inhrelid = kin.relid THEN i.inhparent ELSE i.inhrelid END FROM kin JOIN pg_inherits i ON kin.relid IN (i.inhrelid, i.inhparent)
  ) SELECT relid FROM kin)`;
