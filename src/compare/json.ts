// Parses JSON without rounding. JSON.parse rounds numbers silently, so a number with more digits
// than a double can hold is kept as written.

/** Every double keeps this many decimal digits. */
export const EXACT_DIGITS = 15;
/** Matches digits and points that may be too long for a double, and an exponent of three digits. */
const LONG = /[\d.]{16}|\d[eE][+-]?\d{3,}\s*[,\]}]/;
const LARGE_EXPONENT = /[eE][+-]?\d{3}/;

/**
 * A number with more digits than a double keeps, or with an exponent that may be too large for a
 * double. `text` is the number as written.
 */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** True if the number has neither a point nor an exponent. */
  get isInteger(): boolean {
    return LONG_INTEGER.test(this.text);
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Parses JSON. Integers of 16 or more digits become strings. Any other number becomes a
 * `LongNumber` if a double rounds it to a whole number. Throws SyntaxError.
 */
export function parseJsonLossless(text: string): unknown {
  return parseMarked(text, (number) =>
    LONG_INTEGER.test(number) ? 'string' : isRoundedToWhole(number) ? 'long' : 'number',
  );
}

/**
 * Parses JSON without rounding. Every number that is too long for a double becomes a `LongNumber`,
 * so that no number becomes a string. Throws SyntaxError.
 */
export function parseJsonDigits(text: string): unknown {
  return parseMarked(text, (number) => {
    const isLong = LONG_INTEGER.test(number) || significantDigits(number) > EXACT_DIGITS;
    return isLong || LARGE_EXPONENT.test(number) ? 'long' : 'number';
  });
}

/** True for a number such as 7900719925474099.2, which JSON.parse turns into a whole number. */
const isRoundedToWhole = (number: string): boolean =>
  /[.eE]/.test(number) &&
  significantDigits(number) > EXACT_DIGITS &&
  Number.isSafeInteger(Number(number));

function parseMarked(text: string, kindOf: (number: string) => 'string' | 'long' | 'number') {
  if (!LONG.test(text)) return JSON.parse(text) as unknown;
  const long: LongNumber[] = [];
  const quoted = quoteNumbers(text, (number) => {
    const kind = kindOf(number);
    if (kind === 'number') return null;
    if (kind === 'string') return `"${number}"`;
    long.push(new LongNumber(number));
    return `{"${MARK}":${long.length - 1}}`;
  });
  if (long.length === 0) return JSON.parse(quoted) as unknown;
  if (text.includes(MARK)) throw new SyntaxError('a name that Sluice reserves for long numbers');
  return JSON.parse(quoted, (_name, value: unknown) => {
    const at =
      value !== null && typeof value === 'object'
        ? (value as Record<string, unknown>)[MARK]
        : undefined;
    return typeof at === 'number' ? long[at] : value;
  }) as unknown;
}

const MARK = 'sluice-long-number';

/**
 * Counts the significant digits of a number. Leading zeros do not count. Trailing zeros count only
 * if the number has no point.
 */
export function significantDigits(number: string): number {
  const mantissa = number.replace(/[eE].*$/, '').replace('-', '');
  const hasPoint = mantissa.includes('.');
  let [from, to] = [0, mantissa.length];
  while (from < to && (mantissa[from] === '0' || mantissa[from] === '.')) from += 1;
  while (hasPoint && to > from && (mantissa[to - 1] === '0' || mantissa[to - 1] === '.')) to -= 1;
  const rest = mantissa.slice(from, to);
  return rest.includes('.') ? rest.length - 1 : rest.length;
}

const LONG_INTEGER = /^-?\d{16,}$/;

/** Replaces numbers in JSON text. `quoted` returns the replacement, or null to keep the number. */
function quoteNumbers(text: string, quoted: (number: string) => string | null): string {
  let out = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const start = at;
      at += 1;
      while (at < text.length && /[0-9.eE+-]/.test(text[at]!)) at += 1;
      const instead = quoted(text.slice(start, at));
      if (instead === null) continue;
      out += text.slice(copied, start) + instead;
      copied = at;
    } else {
      at += 1;
    }
  }
  return out + text.slice(copied);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22)
    at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}
