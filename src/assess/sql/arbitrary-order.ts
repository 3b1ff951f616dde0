// Finds the places where a query keeps or numbers rows in an order that it does not define. Each
// run may then give a different result. Also finds places that need the order of all rows, which a
// stream would have to compute again for each change.
import { field, functionName, list, walk, type Fields } from './ast.js';
import { type FlagId } from './flags.js';

type Found = readonly [FlagId, string];

/** Functions whose result depends on the order of the rows in their window. */
const ORDERED = /^(row_number|ntile|lag|lead|first_value|last_value|nth_value)$/;

/**
 * Finds a LIMIT or OFFSET that keeps arbitrary rows, or that needs the order of all rows. An
 * EXISTS (`isExists`) does not depend on the order. `isPerRow` is true for a sub-query that may run
 * for each row of another query. Such a sub-query orders only a few rows.
 */
export function limits(
  select: Fields,
  { isExists, isPerRow }: { readonly isExists: boolean; readonly isPerRow: boolean },
): Found[] {
  const word = limitOf(select);
  if (word === null || isExists) return [];
  if (list(select, 'sortClause').length === 0)
    return [['limit-without-order', `${word} without ORDER BY`]];
  return isPerRow ? [] : [['limit-over-all', `ORDER BY … ${word}`]];
}

/** Finds a limit in a sub-query of an expression, such as `IN (SELECT … LIMIT 5)`. */
export function limitInExpression(subLink: Fields): Found[] {
  const select = field(subLink['subselect'], 'SelectStmt') as Fields | undefined;
  if (!select || subLink['subLinkType'] === 'EXISTS_SUBLINK') return [];
  return limits(select, { isExists: false, isPerRow: true });
}

const limitOf = (select: Fields): string | null =>
  select['limitCount'] !== undefined
    ? 'LIMIT'
    : select['limitOffset'] !== undefined
      ? 'OFFSET'
      : null;

/** Finds a DISTINCT ON whose ORDER BY does not say which row of a key is the first one. */
export function distinctOn(select: Fields): Found[] {
  const on = list(select, 'distinctClause').filter(
    (item) => item !== null && Object.keys(item as object).length > 0,
  ).length;
  const hasOthers = list(select, 'targetList').length > on;
  return on > 0 && hasOthers && list(select, 'sortClause').length <= on
    ? [['limit-without-order', 'DISTINCT ON without a further column in ORDER BY']]
    : [];
}

/**
 * Finds window functions without PARTITION BY. Also finds window functions that depend on an order
 * and have no ORDER BY.
 */
export function windows(select: Fields): Found[] {
  const found: Found[] = [];
  walk(select['targetList'], ({ kind, node: call }) => {
    if (kind === 'SelectStmt') return false;
    if (kind !== 'FuncCall' || call['over'] === undefined) return;
    const over = call['over'] as Fields;
    const named = namedWindow(select, over);
    const has = (clause: string): boolean =>
      [over, named].some((window) => list(window, clause).length > 0);
    const name = `${functionName(call)}()`;
    if (!has('partitionClause')) found.push(['window-unpartitioned', `${name} OVER ()`]);
    else if (ORDERED.test(functionName(call)) && !has('orderClause'))
      found.push(['window-without-order', `${name} without ORDER BY`]);
    return;
  });
  return found;
}

/** Returns the window to which `OVER name` or `OVER (name …)` refers. */
function namedWindow(select: Fields, over: Fields): Fields | undefined {
  const name = over['name'] ?? over['refname'];
  if (name === undefined) return undefined;
  const found = list(select, 'windowClause').map((w) => field(w, 'WindowDef') as Fields);
  return found.find((window) => window['name'] === name);
}
