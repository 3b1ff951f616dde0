// Applies declared tolerances: |a − b| ≤ abs in exact decimal arithmetic. NULL equals only NULL,
// and NaN equals only NaN.

/** The types whose values may differ within a tolerance. Texts may not: `007` is not `7`. */
const NUMBERS: ReadonlySet<string> = new Set([
  'int2',
  'int4',
  'int8',
  'numeric',
  'float4',
  'float8',
  'money',
]);

/** Returns whether a tolerance has an effect on columns of this type. */
export const hasDistance = (type: string): boolean => NUMBERS.has(type);

export function withinTolerance(
  a: string | null,
  b: string | null,
  abs: string | undefined,
): boolean {
  if (a === b) return true;
  if (abs === undefined || a === null || b === null) return false;
  const [left, right, limit] = [parse(a), parse(b), parse(abs)];
  if (!left || !right || !limit) return false;
  const scale = Math.max(left.scale, right.scale, limit.scale);
  const distance = widen(left, scale) - widen(right, scale);
  return (distance < 0n ? -distance : distance) <= widen(limit, scale);
}

interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const MOST_TEXT = 200_000; // the longest numeric of Postgres is shorter
const MOST_EXPONENT = 400; // the exponent of a double is smaller

/**
 * Reads a decimal such as `12.5`, or a float as JavaScript prints it: `5e-8`, `1.5e+22`. Returns
 * null if the text is not a number.
 */
function parse(text: string): Decimal | null {
  if (text.length > MOST_TEXT) return null;
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/.exec(text);
  if (!match) return null;
  const exponent = Number(match[4] ?? 0);
  if (Math.abs(exponent) > MOST_EXPONENT) return null;
  const digits = BigInt(`${match[1]}${match[2]}${match[3] ?? ''}`);
  const scale = (match[3]?.length ?? 0) - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

const widen = (value: Decimal, scale: number): bigint =>
  value.digits * 10n ** BigInt(scale - value.scale);
