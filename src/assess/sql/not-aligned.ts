// Decides, from the text alone, whether a query cannot be aligned with a still point.
import { analyseSql } from './analyse.js';
import { referencesOf } from './references.js';

/** Returns why the query cannot be aligned, or null. The parser MUST be loaded. */
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
