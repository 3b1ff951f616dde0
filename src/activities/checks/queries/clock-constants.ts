// Finds constants that Postgres reads as the current time although they have no cast, such as
// `'today'` in `day < 'today'`. To find out, this code replaces a constant by a text that is not a
// time. If Postgres then reports an invalid time, it reads the constant as a time.
import type pg from 'pg';
import { analyseSql } from '../../../assess/sql/analyse.js';
import type { Moment } from '../../../assess/sql/called.js';
import { describeStatement } from '../../../clients/postgres/single-statement.js';
import { hasState, SQLSTATE } from '../../../domain/values/sqlstate.js';

const LITERAL = /^'(?:[^']|'')*'/;

/**
 * Returns the constants of one query that stand for the current time, as SQL text. The session MUST
 * NOT be in a transaction, because Postgres may refuse a statement, which would abort the
 * transaction.
 */
export async function clockConstants(client: pg.ClientBase, query: string): Promise<string[]> {
  const found: string[] = [];
  for (const moment of analyseSql(query).moments)
    if (await isTime(client, query, moment)) found.push(`'${moment.text}'`);
  return found;
}

async function isTime(client: pg.ClientBase, query: string, { start }: Moment): Promise<boolean> {
  const bytes = Buffer.from(query, 'utf8');
  const rest = bytes.subarray(start).toString('utf8');
  const written = LITERAL.exec(rest)?.[0];
  if (written === undefined) return true; // another form, such as E'today', counts as a time
  const before = bytes.subarray(0, start).toString('utf8');
  const without = `${before}'no time'${rest.slice(written.length)}`;
  return describeStatement(client, without).then(
    () => false,
    (error: unknown) => hasState(error, SQLSTATE.invalidTime),
  );
}
