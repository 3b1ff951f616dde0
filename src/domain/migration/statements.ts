// A text of SQL statements, cut into them: for Flink's dialect, whose statement sets hold
// semicolons of their own.

/** True when the statement starts a job of its own. */
export const startsJob = (sql: string): boolean =>
  /^(insert|execute\s+statement\s+set|begin\s+statement\s+set)\b/i.test(sql);

/** Cuts at semicolons that are in no quotes, comments, or statement set. Comments go. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  const token = /'(?:[^']|'')*'|`(?:[^`]|``)*`|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'`\-/;]+|[-/'`]/g;
  for (const [piece] of text.matchAll(token)) {
    if (/^(--|\/\*)/.test(piece)) current += ' ';
    else if (piece !== ';') current += piece;
    else if (isOpenSet(current)) current += ';';
    else {
      statements.push(current.trim());
      current = '';
    }
  }
  return [...statements, current.trim()].filter((s) => s !== '');
}

/** Inside `… STATEMENT SET BEGIN …`, up to its END. */
const isOpenSet = (sql: string): boolean =>
  /^\s*(execute|begin)\s+statement\s+set\b/i.test(sql) && !/\bend\s*$/i.test(sql);

/**
 * A query that may stand in another one: without the semicolons, comments and blanks that it ends
 * in. A semicolon between two statements stays, and the server refuses it.
 */
export function stripSemicolon(sql: string): string {
  const token =
    /[eE]'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*|[;\s]+|[\w$]+|[\s\S]/gy;
  let end = 0;
  for (let found = token.exec(sql); found; found = token.exec(sql)) {
    const piece = found[0];
    if (piece === '/*') token.lastIndex = endOfComment(sql, found.index);
    else if (!/^(--|[;\s])/.test(piece)) end = token.lastIndex;
  }
  return sql.slice(0, end).trim();
}

/** Comments in SQL hold comments of their own. */
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
