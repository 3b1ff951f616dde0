// Does every table have a primary key, and can each of its changes be captured?
import { isCapturable } from '../facts.js';
import { couldNotTell, fired, ifKnown, notFired, type Rule } from './rule.js';

export const tablesWithoutKey: Rule = {
  id: 'tables-without-key',
  rationale:
    'A change without a key cannot be matched with its row, and a change that is not in the log is lost.',
  ask: ifKnown('tables', (tables) => {
    const lacking = tables.filter((t) => isCapturable(t) && t.key.length === 0).map((t) => t.table);
    const views = tables.filter((t) => !isCapturable(t)).map((t) => t.table);
    const hindered = tables.filter((t) => isCapturable(t) && t.obstacles.length > 0);
    const denied = tables.filter((t) => !t.mayRead).map((t) => t.table);
    if (denied.length > 0)
      return couldNotTell(`this role lacks the privilege to read ${denied.join(', ')}`);
    const work = [
      ...(lacking.length > 0 ? [`give a primary key to ${lacking.join(', ')}`] : []),
      ...(views.length > 0
        ? [`capture the tables that ${views.join(', ')} read, because only tables can be captured`]
        : []),
      ...hindered.map((t) => `make it possible to capture ${t.table}: ${t.obstacles.join(', ')}`),
    ];
    const found = new Set([...lacking, ...views, ...hindered.map((t) => t.table)]);
    return work.length > 0
      ? fired(0.4, [...found].join(', '), { work: work.join('; ') })
      : notFired(`${tables.length} table(s), each with a primary key`);
  }),
};
