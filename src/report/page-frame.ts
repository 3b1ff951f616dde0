// Renders the frame of every HTML page. A page is one file without script, has a strict content
// security policy, and contains its data as text.
import { escapeHtml as e, escapeText } from './escape.js';
import { STYLE } from './style.js';

const CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Returns a whole page. `body` is HTML that is already escaped. `data` is embedded as JSON. */
export function page(title: string, body: string, data: unknown): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CSP}"><title>${e(title)}</title><style>${STYLE}</style></head>
<body>${body}
<details><summary>This data as JSON</summary><pre>${escapeText(JSON.stringify(data))}</pre></details>
</body></html>
`;
}

/** Returns a section. `title` is plain text without markup, and `body` is escaped HTML. */
export const section = (title: string, body: string): string =>
  `<section><h2>${title}</h2>${body}</section>`;

/**
 * Returns a table, with its cells escaped. Columns `from` (inclusive) to `to` (exclusive) contain
 * numbers.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  from = 0,
  to = 0,
): string {
  const n = (at: number): string => (at >= from && at < to ? ' class="n"' : '');
  const head = header.map((h, at) => `<th${n(at)}>${h}</th>`).join('');
  const body = rows
    .map((row) => `<tr>${row.map((cell, at) => `<td${n(at)}>${e(cell)}</td>`).join('')}</tr>`)
    .join('');
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
