// Declared tolerances: |a − b| ≤ abs in exact decimal arithmetic. NULL is only equal to NULL, NaN to nothing but itself.

export function withinTolerance(a: string | null, b: string | null, abs: string | undefined): boolean {
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

function parse(text: string): Decimal | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return null;
  const digits = BigInt(`${match[2]}${match[3] ?? ''}`);
  return { digits: match[1] ? -digits : digits, scale: match[3]?.length ?? 0 };
}

const widen = (value: Decimal, scale: number): bigint => value.digits * 10n ** BigInt(scale - value.scale);
