// Finds names that Debezium's JDBC sink cannot write, and writes a table's name in the form that
// the sink parses.
import type { TableName } from './names.js';

/**
 * The sink puts quotes around a name, but does not double the quotes inside it. It also removes
 * white space at both ends, and brackets or backticks around the whole name.
 */
const UNWRITABLE = /"|^\s|\s$|^\[.*\]$|^`.*`$/s;

/**
 * Characters that have a meaning in `collection.name.format`, or that the sink's parser changes.
 */
const SPECIAL_IN_TABLES = /[`\\${}]|''/;

export const sinkCanWriteColumn = (name: string): boolean => !UNWRITABLE.test(name);

/** Explains why the sink cannot write columns with these names. */
export const unwritableColumns = (names: readonly string[]): string =>
  `the sink cannot write to columns whose name contains ", begins or ends with white space, or is in brackets or backticks: ${names.map((name) => JSON.stringify(name)).join(', ')}`;

export const sinkCanWriteTable = ({ schema, table }: TableName): boolean =>
  [schema, table].every((name) => sinkCanWriteColumn(name) && !SPECIAL_IN_TABLES.test(name));

/**
 * Returns the value of `collection.name.format`. The sink looks for its table with LIKE, in which
 * `_` and `%` also match other characters. It writes to the first schema that matches. So these
 * characters get a backslash. Otherwise, the schema rep_eu would also match the schema repXeu, and
 * the sink would write to a table that is not its own. The same characters in the table's name get
 * no backslash. The sink takes only the schema from the match that it found, so the backslash would
 * stay in the table's name. The name can therefore match other tables, whose column types the sink
 * could use. The check `sink.similar-names` finds such tables.
 */
export function sinkTableName({ schema, table }: TableName): string {
  return `${inFormat(schema.replaceAll(/[_%]/g, '\\$&'))}.${inFormat(table)}`;
}

/** Quotes a name that is not plain, because the sink splits names at dots and white space. */
const inFormat = (name: string): string => (/^[a-z_]\w*$/i.test(name) ? name : `"${name}"`);
