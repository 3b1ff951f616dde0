// Makes a query that a person wrote usable as a subquery.

/**
 * Removes the semicolons, comments and blanks at the end of a query, so that it can be used as a
 * subquery. A semicolon between two statements stays, and the server refuses it.
 */
export function stripSemicolon(sql: string): string {
  const token =
    /[eE]'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*|[;\s]+|[\w$\u0080-\uffff]+|[\s\S]/gy;
  let end = 0;
  for (let found = token.exec(sql); found; found = token.exec(sql)) {
    const piece = found[0];
    if (piece === '/*') token.lastIndex = endOfComment(sql, found.index);
    else if (!/^(--|[;\s])/.test(piece)) end = token.lastIndex;
  }
  return sql.slice(0, end).trim();
}

/** Returns the end of a comment. SQL comments can be nested. */
function endOfComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}
