// Reads the elements in the text of a one-dimensional Postgres array.

/** Matches one element of a Postgres array, quoted or not, with the separator or brace after it. */
export const arrayItemToken = (): RegExp => /(?:"((?:[^"\\]|\\.)*)"|([^,{}"]+))(,|\}$)/y;

/** Returns the element that `arrayItemToken` matched. */
export const arrayItem = ([, quoted, plain]: RegExpExecArray): string | null => {
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, '$1');
  return plain === 'NULL' ? null : plain!;
};

/** Returns the elements of an array that Postgres wrote. */
export function arrayItems(value: string): (string | null)[] {
  if (value === '{}') return [];
  const items: (string | null)[] = [];
  const token = arrayItemToken();
  token.lastIndex = 1;
  for (let match = token.exec(value); match; match = token.exec(value))
    items.push(arrayItem(match));
  return items;
}
