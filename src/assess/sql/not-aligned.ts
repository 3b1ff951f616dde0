// Decides, from the text alone, whether a query cannot be aligned with a still point.
import { analyseSql, type SqlAnalysis } from './analyse.js';
import type { FlagId } from './flags.js';
import { referencesOf } from './references.js';

const CLOCK: readonly FlagId[] = ['now', 'volatile', 'tablesample'];

/** Returns the SQL text of what the result depends on: the clock, or random values. */
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
