// Finds out from the text of a batch query, without the database, why it cannot be aligned. An
// aligned query is rewritten to read the tables as of one moment (a still point).
import { analyseSql, type SqlAnalysis } from './analyse.js';
import type { FlagId } from './flags.js';
import { referencesOf } from './references.js';

const CLOCK: readonly FlagId[] = ['now', 'volatile', 'tablesample'];

/**
 * Returns the expressions that make the result depend on the clock, on random values or on other
 * values that change.
 */
export const clockFlags = ({ flags }: Pick<SqlAnalysis, 'flags'>): string[] =>
  flags.filter(({ id }) => CLOCK.includes(id)).map(({ found }) => found);

/** Returns why the query cannot be aligned, or null. The parser MUST be loaded. */
export function textProblem(query: string): string | null {
  const read = analyseSql(query);
  if (read.error) return `it cannot be read: ${read.error.message}`;
  try {
    referencesOf(query);
  } catch (error) {
    return (error as Error).message;
  }
  const [found] = clockFlags(read);
  return found === undefined ? null : `its result depends on ${found}`;
}
