// Escapes text from outside (names of tables, columns and people, reasons), so that it never
// becomes markup. Also lays out tables as plain text.
import { printable, printableLines } from '../domain/values/foreign-text.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  printableLines(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);

/**
 * Escapes text between tags. Quotes are harmless there. They stay as they are, so that embedded
 * JSON does not become longer.
 */
export const escapeText = (text: string): string =>
  printableLines(text).replaceAll(/[&<>]/g, (character) => ENTITIES[character]!);

export const escapeMarkdown = (text: string): string =>
  printable(text.replaceAll(/[\r\n]+/g, ' ')).replaceAll(/[|\\`*_<>[\]]/g, '\\$&');

/**
 * Formats a plain name as Markdown code. Other text is escaped instead, because a backslash does
 * not escape anything inside code.
 */
export const codeSpan = (name: string): string =>
  /^[\w.$:@/ -]+$/.test(name) ? `\`${name}\`` : escapeMarkdown(name);

/** Returns a table as plain text in columns without borders, as kubectl prints it. */
export function columns(header: readonly string[], raw: readonly (readonly string[])[]): string {
  const rows = raw.map((row) => row.map(printable));
  const widths = header.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at]! + 2)))
      .join('');
  return [line(header), ...rows.map(line)].join('\n');
}
