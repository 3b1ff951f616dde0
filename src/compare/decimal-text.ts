// Prints a decimal that is given as the bytes of its unscaled value, and its scale.
import { Undecodable } from './undecodable.js';

/** The limit for the bytes of a decimal, and for the absolute value of its scale. */
const MOST_DECIMAL = 20_000;

/**
 * Returns the text of the decimal. `unscaled` is a signed big-endian integer. Throws Undecodable if
 * it is empty or too long, or if the scale is out of range.
 */
export function decimalText(unscaled: Buffer, scale: number): string {
  if (unscaled.length === 0) throw new Undecodable('empty decimal');
  if (unscaled.length > MOST_DECIMAL || !(Math.abs(scale) <= MOST_DECIMAL))
    throw new Undecodable('a decimal out of range');
  let digits = BigInt.asIntN(unscaled.length * 8, BigInt(`0x${unscaled.toString('hex')}`));
  const sign = digits < 0n ? '-' : '';
  if (digits < 0n) digits = -digits;
  const text = digits.toString().padStart(scale + 1, '0');
  return scale <= 0
    ? `${sign}${text}${'0'.repeat(-scale)}`
    : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
