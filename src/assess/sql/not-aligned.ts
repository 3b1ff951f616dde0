// Finds out from a query's text alone that it cannot be run as of a still point. PURE.
import { analyseSql } from './analyse.js';
import { referencesOf } from './references.js';

/** Returns the reason, or null if the text allows it. The parser MUST be loaded. */
export function textProblem(query: string): string | null {
  const read = analyseSql(query);
  if (read.error) return `it cannot be read: ${read.error.message}`;
  try {
    referencesOf(query);
  } catch (error) {
    return (error as Error).message;
  }
  const found = read.flags.find(({ id }) => ['now', 'volatile', 'tablesample'].includes(id));
  return found ? `its result depends on ${found.found}` : null;
}
