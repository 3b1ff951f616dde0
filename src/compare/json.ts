// Parses JSON. JSON.parse silently rounds numbers that have more digits than a double can hold.
// `parseJsonDigits` keeps the text of all these numbers. `parseJsonLossless` keeps it only for
// whole numbers, and for numbers that would be rounded to whole numbers.

/** A double represents any decimal number of up to this many digits without loss. */
export const EXACT_DIGITS = 15;
/** Finds numbers that may not fit a double: 16 digits or points, or an exponent of 3+ digits. */
const LONG = /[\d.]{16}|\d[eE][+-]?\d{3,}\s*(?:[,\]}]|$)/;
const LARGE_EXPONENT = /[eE][+-]?\d{3}/;

/**
 * A number with more digits than a double keeps, or with an exponent that may be too large for a
 * double. `text` is the number as written. The parser returns this class and not a string, because
 * a string would be equal to a text of the same digits.
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

/** Prints a value as JSON, and a long number as written. */
export const jsonOf = (value: unknown): string | undefined =>
  value instanceof LongNumber ? value.text : JSON.stringify(value);

/**
 * Returns a member of an object, or undefined if the object does not contain it. Every object
 * inherits members such as `constructor`, and a column may have the same name.
 */
export const memberOf = (object: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/** Matches the text of a JSON number. `Number` alone would also read `0x1E`. */
export const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Parses JSON. An integer of 16 or more digits becomes a `LongNumber`. So does a number for which
 * `isRoundedToWhole` returns true. Throws SyntaxError if the text is not JSON.
 */
export const parseJsonLossless = (text: string): unknown =>
  parseMarked(text, (number) => LONG_INTEGER.test(number) || isRoundedToWhole(number));

/**
 * Parses JSON without rounding. Every number that may be too long for a double becomes a
 * `LongNumber`. Throws SyntaxError if the text is not JSON.
 */
export const parseJsonDigits = (text: string): unknown =>
  parseMarked(
    text,
    (number) =>
      LONG_INTEGER.test(number) ||
      significantDigits(number) > EXACT_DIGITS ||
      LARGE_EXPONENT.test(number),
  );

/**
 * Returns whether a double may round a number with a point or an exponent to a safe integer.
 * Examples are 7900719925474099.2, and 1e-400, which becomes 0.
 */
export function isRoundedToWhole(number: string): boolean {
  if (!/[.eE]/.test(number)) return false;
  const [digits, value] = [significantDigits(number), Number(number)];
  return digits > EXACT_DIGITS ? Number.isSafeInteger(value) : digits > 0 && value === 0;
}

function parseMarked(text: string, isLong: (number: string) => boolean): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  const long: LongNumber[] = [];
  let mark = 'long-number';
  while (text.includes(mark)) mark += '-';
  const quoted = quoteNumbers(text, (number) => {
    if (!isLong(number)) return null;
    long.push(new LongNumber(number));
    return `{"${mark}":${long.length - 1}}`;
  });
  return restored(JSON.parse(quoted), { mark, long, left: new Set(long) }, 0);
}

interface Marked {
  /** An object whose only member has this name stands for a long number. */
  readonly mark: string;
  readonly long: readonly LongNumber[];
  /** The numbers that are not yet in place. */
  readonly left: Set<LongNumber>;
}

const MOST_LEVELS = 500;

/** Puts the long numbers in place of their marks. A reviver of JSON.parse would take longer. */
function restored(value: unknown, marked: Marked, level: number): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (level > MOST_LEVELS) throw new SyntaxError('a value that is nested too deeply');
  const members = value as Record<string, unknown>;
  const at = members[marked.mark];
  if (typeof at === 'number') {
    const number = marked.long[at];
    // The JSON text itself may contain the mark, spelled with escapes that `includes` does not
    // find. A second mark for the same number is therefore an error.
    if (number && marked.left.delete(number)) return number;
    throw new SyntaxError('a name that stands for a long number');
  }
  for (const name of Object.keys(members))
    if (typeof members[name] === 'object')
      members[name] = restored(members[name], marked, level + 1);
  return value;
}

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
