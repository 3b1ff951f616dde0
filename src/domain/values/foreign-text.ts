// Makes foreign text (row values, names, comments, errors of other systems) safe to show and to
// store.

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
// C0 and C1 controls, DEL, line and paragraph separators, direction marks, lone surrogates, and the
// byte order mark.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\ufeff]/gu;

const escaped = (character: string): string =>
  NAMED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Returns one line without characters that control a terminal or that a reader cannot see. It
 * escapes these characters as JSON does, so a JSON text keeps its meaning.
 */
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, escaped);

/**
 * Works like `printable`, but keeps newlines and tabs, because Sluice itself formatted the text.
 */
export const printableLines = (text: string): string =>
  text.replaceAll(UNPRINTABLE, (c) => (c === '\n' || c === '\t' ? c : escaped(c)));

/** Returns the first `length` characters, without half of a surrogate pair at the end. */
export const cut = (text: string, length: number): string =>
  text.slice(0, length).replace(/[\ud800-\udbff]$/, '');

/** Shortens the answer of an external system to one line. */
export function quoteForeign(text: string, limit = 300): string {
  const line = printable(text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim());
  return line.length > limit ? `${cut(line, limit)}…` : line;
}

/**
 * Returns the text of an error without the values of rows, because errors are stored in the
 * workflow's history and in logs.
 */
export function withoutValues(text: string): string {
  return text
    .replaceAll(
      /\b(Detail|DETAIL):[\s\S]*?(?=\s(?:Where|Hint|Position|Call getNextException)\b|$)/g,
      '$1: …',
    )
    .replaceAll(/\((byte\[\]|String|char\[\])\)"[\s\S]*?"(?=; line|\]|$)/g, '($1)"…"')
    .replaceAll(/\bStruct\{[\s\S]*\}/g, 'Struct{…}')
    .replaceAll(/\bvalues\s*\([\s\S]*\)/gi, 'VALUES (…)')
    .replaceAll(/=\([^)]*\)/g, '=(…)')
    .replaceAll(
      /(?<!\b(?:field|column|relation|constraint|topic|connector|slot|table))(: |\bvalue |\btoken )"[^"]*"/gi,
      '$1"…"',
    )
    .replaceAll(
      /(?<!\b(?:field|column|relation|constraint|topic|connector|slot|table))(: |\bvalue |\btoken )'[^']*'/gi,
      "$1'…'",
    );
}

/** Returns the message of a Postgres data error (class 22) without the value that it quotes. */
export const withoutQuotes = (message: string): string =>
  message.replaceAll(/"(?:[^"]|"")*"/g, '"…"');
