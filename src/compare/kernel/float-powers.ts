// Computes the powers of ten that assembly/float.ts multiplies with: the first 128 bits of each,
// truncated. PURE.

const FIRST = -64;
const LAST = 63;
const BITS = 128n;
export const POWER_BYTES = (LAST - FIRST + 1) * 16;

/** Writes the high and the low word of each power at `at`. */
export function writePowers(view: DataView, at: number): void {
  for (let power = FIRST; power <= LAST; power += 1) {
    const bits = firstBits(power);
    const place = at + (power - FIRST) * 16;
    view.setBigUint64(place, bits >> 64n, true);
    view.setBigUint64(place + 8, BigInt.asUintN(64, bits), true);
  }
}

function firstBits(power: number): bigint {
  const ten = 10n ** BigInt(Math.abs(power));
  const length = BigInt(ten.toString(2).length);
  if (power >= 0) return length > BITS ? ten >> (length - BITS) : ten << (BITS - length);
  const quotient = (1n << (length + BITS)) / ten;
  return quotient >> BITS === 0n ? quotient : quotient >> 1n;
}
