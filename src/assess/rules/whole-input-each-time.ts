// Does each load empty the tables and fill them again?
import { uncountedRemovals, type TableFacts } from '../facts.js';
import { couldNotTell, fired, ifKnown, notFired, type Rule } from './rule.js';

const REPLACED = 0.8;
// A table whose rows were replaced this many times counts as replaced by each load. This limit is
// used only for tables without rates per day.
const TIMES_OVER = 3;
const TOO_SMALL_TO_SAY = 100;

export const wholeInputEachTime: Rule = {
  id: 'whole-input-each-time',
  rationale:
    'If a table is emptied and filled again, each load is one huge change and not a few small ones.',
  ask: ifKnown('tables', (tables) => {
    const counted = tables.filter((t) => t.total !== null);
    if (counted.length === 0) return couldNotTell('the tables have no statistics of their changes');
    const replaced = counted.filter(isReplaced);
    const uncounted = tables.filter((t) => t.total === null).map((t) => t.table);
    if (replaced.length === 0)
      return uncounted.length === 0
        ? notFired('no table is replaced as a whole')
        : couldNotTell(`there are no statistics of the changes of ${uncounted.join(', ')}`);
    const names = replaced
      .map(
        (t) =>
          `${t.table} (${removed(t).toLocaleString('en')} rows deleted or truncated so far; it has ${t.rows.toLocaleString('en')} rows)`,
      )
      .join(', ');
    if (replaced.length === tables.length) return fired(1, names, { decides: true });
    return fired(0.4, names, {
      work: `make the loads of ${replaced.map((t) => t.table).join(', ')} write only rows that changed`,
    });
  }),
};

function isReplaced(table: TableFacts): boolean {
  const { rows, perDay, total } = table;
  if (rows < TOO_SMALL_TO_SAY) return false;
  const gone = removed(table);
  if (!perDay) return Math.min(gone, total!.inserted) > TIMES_OVER * rows;
  if (perDay.inserted === 0) return false;
  const days = total!.inserted / perDay.inserted;
  return Math.min(gone / days, perDay.inserted) > REPLACED * rows;
}

const removed = (table: TableFacts): number => table.total!.deleted + uncountedRemovals(table);
