// Checks the functions that a query calls. If a function may read tables or the clock, or is
// VOLATILE, the query cannot be compared exactly at a still point.
import type pg from 'pg';
import { analyseSql } from '../../../assess/sql/analyse.js';
import { clockFlags } from '../../../assess/sql/not-aligned.js';
import { mayConvertTime } from '../../../assess/sql/zoned-times.js';
import {
  calledBy,
  lacksText,
  whyForeignIsUnsafe,
  type CalledFunction,
} from './called-functions.js';

/**
 * Returns the reason why a function prevents aligning the query. Returns null if no function does.
 */
export async function functionProblem(
  client: pg.ClientBase,
  query: string,
): Promise<string | null> {
  const seen = new Set<string>();
  const texts = [query];
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    for (const called of await calledBy(client, analyseSql(text))) {
      if (seen.has(called.name)) continue;
      seen.add(called.name);
      const problem = problemOf(called);
      if (problem) return problem;
      if (called.text !== null) texts.push(called.text);
    }
  }
  return null;
}

function problemOf(called: CalledFunction): string | null {
  const { name, origin, text, volatility, isOnlyPossible } = called;
  const unsafe = whyForeignIsUnsafe(called);
  if (unsafe) return `it calls ${name}, which ${unsafe}`;
  if (origin !== 'user') return null;
  if (volatility === 'volatile' && !isOnlyPossible) return `it calls ${name}, which is VOLATILE`;
  if (lacksText(called)) return `it calls ${name}, whose text cannot be read`;
  if (text === null) return null;
  const read = analyseSql(text);
  if (read.error ?? read.unread[0]) return `it calls ${name}, whose text cannot be read`;
  if (read.tables.length > 0) return `it calls ${name}, which reads ${read.tables.join(', ')}`;
  const [clock] = [...clockFlags(read), ...read.moments.map(({ text: moment }) => `'${moment}'`)];
  if (clock !== undefined) return `it calls ${name}, whose result may depend on ${clock}`;
  return mayConvertTime(text, read)
    ? `it calls ${name}, which may convert a time of day by the current date`
    : null;
}
