// Describes a table that the consumers' view can read: the batch's table or the stream's table.
import type pg from 'pg';
import type { Relation } from '../../../assess/sql/swap-limits.js';
import { readTable } from '../../../clients/postgres/catalog.js';
import { columnTypes } from '../../../clients/postgres/consumer-view.js';

/** Reads a table's columns and key from the catalog. Returns null if the table does not exist. */
export async function relationOf(client: pg.ClientBase, table: string): Promise<Relation | null> {
  const found = await readTable(client, table);
  if (!found) return null;
  const bases = new Map(found.columns.map(({ name, declared }) => [name, declared]));
  const columns = (await columnTypes(client, found.name)).map((column) => ({
    ...column,
    base: bases.get(column.name) ?? column.type,
  }));
  return { name: found.name, columns, key: found.key };
}
