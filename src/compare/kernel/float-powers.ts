// Computes the powers of ten by which assembly/float.ts multiplies. Of each power, only the first
// 128 significant bits are kept.

const FIRST = -64;
const LAST = 63;
const BITS = 128n;
const POWER_BYTES = (LAST - FIRST + 1) * 16;

let powers: Uint8Array | undefined;

/** Returns the high 64 bits of each power, then its low 64 bits. Both are little-endian. */
export function floatPowers(): Uint8Array {
  powers ??= computed();
  return powers;
}

function computed(): Uint8Array {
  const view = new DataView(new ArrayBuffer(POWER_BYTES));
  for (let power = FIRST; power <= LAST; power += 1) {
    const bits = firstBits(power);
    const at = (power - FIRST) * 16;
    view.setBigUint64(at, bits >> 64n, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, bits), true);
  }
  return new Uint8Array(view.buffer);
}

function firstBits(power: number): bigint {
  const ten = 10n ** BigInt(Math.abs(power));
  const length = BigInt(ten.toString(2).length);
  if (power >= 0) return length > BITS ? ten >> (length - BITS) : ten << (BITS - length);
  const quotient = (1n << (length + BITS)) / ten;
  return quotient >> BITS === 0n ? quotient : quotient >> 1n;
}
