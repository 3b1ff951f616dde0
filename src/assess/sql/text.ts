// Cuts pieces out of a query's text, with the help of the parser's tokens. A piece keeps its
// spelling and its comments. Offsets are in bytes.
import type { ScanToken } from 'libpg-query';

export class SqlText {
  readonly #bytes: Buffer;
  readonly #tokens: readonly ScanToken[];

  constructor(sql: string, tokens: readonly ScanToken[]) {
    this.#bytes = Buffer.from(sql, 'utf8');
    this.#tokens = tokens;
  }

  slice(start: number, end: number): string {
    return this.#bytes.subarray(start, end).toString('utf8').trim();
  }

  /** Returns line and column, from 1, of a byte offset. */
  place(offset: number): { line: number; column: number } {
    const before = this.#bytes.subarray(0, offset).toString('utf8').split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1 };
  }

  /**
   * Returns the range of the name that begins at `offset` and has this number of parts, such as two
   * for `schema.name`. The name may be quoted, and may have blanks and comments around its dots. If
   * `only` is true, the range includes the ONLY before the name, and its parentheses if it has
   * them: `ONLY a.b` or `ONLY (a.b)`.
   */
  nameAt(offset: number, parts: number, only: boolean): { start: number; end: number } {
    const tokens = this.#tokens.filter(({ tokenName }) => !/^(SQL|C)_COMMENT$/.test(tokenName));
    let first = tokens.findIndex(({ start }) => start >= offset);
    let last = first + 2 * (parts - 1);
    if (/^uescape$/i.test(tokens[last + 1]?.text ?? '')) last += 2;
    if (only && tokens[first - 1]?.text === '(') {
      first -= 1;
      last += 1;
    }
    if (only) first -= 1;
    return { start: tokens[first]!.start, end: tokens[last]!.end };
  }

  /**
   * Finds the innermost parentheses around `offset` that contain a query (SELECT, WITH or VALUES).
   * Returns null if there are none.
   */
  queryAround(offset: number): { start: number; end: number } | null {
    const open: number[] = [];
    let best: { start: number; end: number } | null = null;
    for (const [at, token] of this.#tokens.entries()) {
      if (token.text === '(') open.push(at);
      if (token.text !== ')') continue;
      const from = open.pop();
      const first = from === undefined ? undefined : this.#tokens[from + 1];
      if (from === undefined || !first || !/^(select|with|values)$/i.test(first.text)) continue;
      const found = { start: this.#tokens[from]!.end, end: token.start };
      if (found.start <= offset && offset < found.end && (!best || found.start > best.start))
        best = found;
    }
    return best;
  }

  /** Finds the first parentheses after `offset` that contain a query, such as the body of a CTE. */
  queryAfter(offset: number): { start: number; end: number } | null {
    const first = this.#tokens.findIndex(
      (token, at) =>
        token.start >= offset &&
        token.text === '(' &&
        /^(select|with|values)$/i.test(this.#tokens[at + 1]?.text ?? ''),
    );
    return first < 0 ? null : this.queryAround(this.#tokens[first + 1]!.start);
  }

  /**
   * Splits the text after `offset` at every AND that is neither inside parentheses nor part of
   * BETWEEN.
   */
  splitAtAnd(offset: number): string[] {
    const parts: string[] = [];
    let depth = 0;
    let between = 0;
    let start = offset;
    for (const token of this.#tokens) {
      if (token.start < offset) continue;
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth > 0) continue;
      if (/^between$/i.test(token.text)) between += 1;
      if (!/^and$/i.test(token.text)) continue;
      if (between > 0) between -= 1;
      else {
        parts.push(this.slice(start, token.start));
        start = token.end;
      }
    }
    return [...parts, this.slice(start, this.#bytes.length)];
  }
}
