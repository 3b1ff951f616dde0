// Reads the rows of a table or a query as canonical texts, which have one spelling for each value.
// A comparison by rows compares these texts.
import type pg from 'pg';
import { readPaced, type ReadOptions } from '../../clients/postgres/row-cursor.js';
import { canonFromText } from '../../compare/column-types.js';
import { joinRow, type Shape } from '../../compare/row-comparison.js';
import { Undecodable } from '../../compare/undecodable.js';
import { Problem } from '../../domain/failure.js';
import { quoteIdent } from '../../domain/migration/names.js';

/**
 * Calls `visit` with the key and the canonical text of every row of `from`, which is a table or a
 * sub-query. The text is null if the row could not be decoded. Returns the number of rows.
 */
export async function readRows(
  client: pg.Client,
  from: string,
  shape: Shape,
  options: ReadOptions,
  visit: (key: string, row: string | null) => void,
): Promise<number> {
  const columns = shape.columns.map((c) => c.name);
  const keyAt = shape.key.map((name) => columns.indexOf(name));
  let count = 0;
  for await (const rows of readPaced(
    client,
    `SELECT ${columns.map(quoteIdent).join(', ')} FROM ${from}`,
    options,
  )) {
    for (const values of rows) visitRow(shape, keyAt, values, visit);
    count += rows.length;
  }
  return count;
}

function visitRow(
  shape: Shape,
  keyAt: readonly number[],
  values: readonly (string | null)[],
  visit: (key: string, row: string | null) => void,
): void {
  const canonical: (string | null)[] = [];
  let decodable = true;
  shape.columns.forEach((column, at) => {
    try {
      canonical.push(canonFromText(column.type, values[at] ?? null));
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      canonical.push(null);
      decodable = false;
    }
  });
  const key = keyAt.map((at) => canonical[at] ?? null);
  if (!decodable && key.includes(null))
    throw new Problem('unsupported', `a key value of (${shape.key.join(', ')}) cannot be encoded`);
  visit(joinRow(key), decodable ? joinRow(canonical) : null);
}
