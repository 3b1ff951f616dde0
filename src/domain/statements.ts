// A text of SQL statements, cut into them: for Flink's dialect, whose statement sets hold semicolons of their own.

/** Whether the statement starts a job of its own. */
export const startsJob = (sql: string): boolean => /^(insert|execute\s+statement\s+set|begin\s+statement\s+set)\b/i.test(sql);

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
const isOpenSet = (sql: string): boolean => /^\s*(execute|begin)\s+statement\s+set\b/i.test(sql) && !/\bend\s*$/i.test(sql);

/** A query that may stand in another one. */
export const stripSemicolon = (sql: string): string => sql.trim().replace(/;+\s*$/, '');
