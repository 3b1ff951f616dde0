// Splits a text into SQL statements. A statement set of Flink counts as one statement, although it
// contains semicolons.

/** Returns whether the statement starts a Flink job. */
export const startsJob = (sql: string): boolean =>
  /^(insert|execute\s+statement\s+set|begin\s+statement\s+set)\b/i.test(sql);

/**
 * Splits at semicolons outside quotes, backticks, comments and statement sets. Removes
 * comments.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  const token =
    /'(?:[^']|'')*'|`(?:[^`]|``)*`|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'`"\-/;]+|[-/'`"]/g;
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

/** Returns whether the text is inside `… STATEMENT SET BEGIN …`, before its END. */
const isOpenSet = (sql: string): boolean =>
  /^\s*(execute|begin)\s+statement\s+set\b/i.test(sql) && !/\bend\s*$/i.test(sql);
