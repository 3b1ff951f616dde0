// Reads the elements in the text of a one-dimensional Postgres array.
import { Undecodable } from './undecodable.js';

/** Matches one element of a Postgres array, quoted or not, with the separator or brace after it. */
export const arrayItemToken = (): RegExp => /(?:"((?:[^"\\]|\\.)*)"|([^,{}"]+))(,|\}$)/y;

/** Returns the element that `arrayItemToken` matched, or null for NULL. */
export const arrayItem = ([, quoted, plain]: RegExpExecArray): string | null => {
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, '$1');
  return plain === 'NULL' ? null : plain!;
};

/**
 * Returns the elements of an array that Postgres wrote. If the array's lower bound is not 1, the
 * text begins with the bounds (`[0:1]={a,b}`). Debezium writes only the elements of such an array.
 * Throws Undecodable for an array of several dimensions.
 */
export function arrayItems(value: string): (string | null)[] {
  if (value === '{}') return [];
  const items: (string | null)[] = [];
  const token = arrayItemToken();
  let at = value.startsWith('[') ? value.indexOf('={') + 2 : 1;
  while (at < value.length) {
    token.lastIndex = at;
    const match = token.exec(value);
    if (!match) throw new Undecodable('only an array of one dimension can be written');
    items.push(arrayItem(match));
    at = token.lastIndex;
  }
  return items;
}
