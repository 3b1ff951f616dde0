// Finds out whether a query may convert values to or from text, such as a date or an interval. Only
// then can its result depend on settings such as DateStyle.
import { scanSync } from 'libpg-query';
import { analyseSql } from './analyse.js';

/**
 * Matches a token of a cast, of `||` or of the syntax of JSON and XML. Also matches a dollar-quoted
 * constant and a constant with a digit, which may be a date or an interval.
 */
const MAY_CONVERT = /^(::|cast|\|\||(json|xml).*|\$.*|(u&|[a-z])?'.*\d.*)$/is;

/** Functions that convert no date, interval, bytea or floating-point number to or from text. */
const CONVERTS_NOTHING: ReadonlySet<string> = new Set(
  (
    'abs array_agg avg bool_and bool_or btrim ceil ceiling char_length count date_part date_trunc ' +
    'dense_rank every extract first_value floor lag last_value lead left length lower ltrim max ' +
    'min mod ntile position power rank replace right round row_number rtrim split_part sqrt ' +
    'substr substring sum timezone trunc upper'
  ).split(' '),
);

/**
 * Returns whether the query may convert values to or from text. `plain` has the names of the tables
 * that are not views. A view or a function may convert values too. So the answer is false only if
 * the query reads nothing but these tables, and calls only functions that convert nothing. The
 * parser MUST be loaded.
 */
export function mayConvertText(sql: string, plain: ReadonlySet<string>): boolean {
  const { error, functions, tables } = analyseSql(sql);
  return (
    error !== null ||
    scanSync(sql).tokens.some(({ text }) => MAY_CONVERT.test(text)) ||
    functions.some((name) => !CONVERTS_NOTHING.has(name.replace(/^pg_catalog\./, ''))) ||
    tables.some((table) => !plain.has(table))
  );
}
