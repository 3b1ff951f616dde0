// Computes the output of a correct pipeline, and plants a fault in it.
import type pg from 'pg';
import type { RandomQuery } from './queries.js';
import { insertOf, type Change } from './writers.js';

type Fields = Readonly<Record<string, unknown>>;

interface OutputRow {
  readonly fields: Fields;
  readonly text: string;
}

interface Message {
  readonly key: string;
  readonly value: string;
}

/**
 * Runs the query on the tables as they are after the changes in `log`. These are the changes of a
 * run before its still point.
 */
export async function outputAt(
  client: pg.Client,
  log: readonly Change[],
  { sql }: RandomQuery,
): Promise<OutputRow[]> {
  const rows = new Map<string, Change>();
  for (const change of log) rows.set(`${change.table} ${change.key}`, change);
  const inserts = [...rows.values()].flatMap(({ table, row }) =>
    row ? [insertOf(table, row)] : [],
  );
  const plain = sql.replaceAll('public.', '');
  await client.query(`BEGIN; SET LOCAL search_path = at_ends; ${inserts.join('; ')}`);
  const { rows: found } = await client.query<{ row: string }>(
    `SELECT to_jsonb(q)::text AS row FROM (${plain}) AS q`,
  );
  await client.query('ROLLBACK');
  return found.map(({ row }) => ({ text: row, fields: JSON.parse(row) as Fields }));
}

export type Fault = 'none' | 'wrong' | 'lost' | 'extra';

/**
 * Returns the messages of the output with the wanted fault. An empty output gets no fault. If no
 * value can be made wrong, a row is lost instead.
 */
export function withFault(
  next: () => number,
  rows: readonly OutputRow[],
  { key }: RandomQuery,
  wanted: Fault,
): { readonly fault: Fault; readonly messages: Message[] } {
  const keyOf = (row: Fields): string =>
    JSON.stringify(Object.fromEntries(key.map((name) => [name, row[name]])));
  const messages = rows.map(({ fields, text }) => ({ key: keyOf(fields), value: text }));
  const at = Math.floor(next() * rows.length);
  const column = Object.entries(rows[at]?.fields ?? {}).findLast(
    ([name, value]) => !key.includes(name) && value !== null,
  );
  const fault = rows.length === 0 ? 'none' : wanted === 'wrong' && !column ? 'lost' : wanted;
  if (fault === 'lost') messages.splice(at, 1);
  if (fault === 'wrong') {
    const { fields } = rows[at]!;
    const wrong = { ...fields, [column![0]]: otherThan(column![1]) };
    messages[at] = { key: keyOf(fields), value: JSON.stringify(wrong) };
  }
  if (fault === 'extra') {
    const { fields } = rows[at]!;
    const extra = { ...fields, k: typeof fields['k'] === 'string' ? `${fields['k']}?` : -99 };
    messages.push({ key: keyOf(extra), value: JSON.stringify(extra) });
  }
  return { fault, messages };
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? Number((value + 1).toFixed(4)) : null;
}
