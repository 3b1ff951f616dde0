// Finds in the catalog the relations that hold the rows of each compared table. Also computes a
// digest of their definitions, which must not change while a witness is running.
import type pg from 'pg';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { WitnessedTable } from './witness-log.js';
import { withPartitions } from './partitions.js';

/** Returns `table` with the relations that hold its rows. `from` is the table's quoted name. */
export async function witnessedTable(
  client: pg.ClientBase,
  table: string,
  from: string,
  key: string,
): Promise<WitnessedTable> {
  const { rows } = await client.query<{ oid: string }>(`SELECT oid FROM (${TREE(from)}) t`);
  return { table, key, oids: rows.map(({ oid }) => Number(oid)) };
}

/**
 * Returns a digest that changes with the data files, the columns, the replica identity and the
 * partitions of the quoted tables, and with the publication. After a change that was undone, the
 * digest must still differ, because the witness can lack rows that changed in between. For example,
 * a partition may have been detached for a while.
 */
export async function definitionDigest(
  client: pg.ClientBase,
  tables: readonly string[],
  publication: string,
): Promise<string> {
  const trees = tables.map(TREE).join(' UNION ALL ');
  const { rows } = await client.query<{ digest: string }>(
    `WITH tree AS (${trees}) SELECT md5(string_agg(part, ' ' ORDER BY part)) AS digest FROM (
       SELECT concat('r ', c.oid, ' ', pg_relation_filenode(c.oid), ' ', c.relreplident, c.relpersistence) AS part FROM pg_class c JOIN tree USING (oid)
       UNION ALL SELECT concat('a ', a.attrelid, '.', a.attnum, ' ', a.xmin) FROM pg_attribute a JOIN tree ON oid = attrelid WHERE a.attnum > 0
       UNION ALL SELECT concat('i ', i.inhrelid, ' ', i.xmin) FROM pg_inherits i JOIN tree ON oid = inhrelid
       UNION ALL SELECT concat('p ', p.oid, ' ', p.xmin) FROM pg_publication p WHERE p.pubname = ${quoteLiteral(publication)}
       UNION ALL SELECT concat('t ', r.oid, ' ', r.xmin) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = ${quoteLiteral(publication)}) AS parts`,
  );
  return rows[0]!.digest;
}

const TREE = (from: string): string =>
  `SELECT relid AS oid FROM ${withPartitions(`${quoteLiteral(from)}::regclass`)} t`;
