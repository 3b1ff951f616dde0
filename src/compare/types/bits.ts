// Reads bit(n). Debezium writes a boolean for bit(1). It writes longer values as bytes in base64.
// The last eight bits come first, and zero bytes at the end are omitted. `bit varying` cannot be
// proven, because 001 and 1 have the same bytes.
import { fail, text, wrong, type Codec } from './codec.js';

/**
 * Removes leading zeros. Nothing is lost, because the column's type contains the number of bits.
 */
function significant(digits: string): string {
  const first = digits.indexOf('1');
  return first < 0 ? '0' : digits.slice(first);
}

const digitsOf = (bits: string): string =>
  /^[01]+$/.test(bits) ? significant(bits) : fail('expected bits');

export const bits: Codec = {
  fromText: digitsOf,
  fromJson: (value) => {
    if (typeof value === 'boolean') return value ? '1' : '0';
    const base64 = text(value);
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.toString('base64') !== base64) return wrong('expected base64');
    const digits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0'));
    return significant(digits.reverse().join(''));
  },
};

/** Returns the bytes that Debezium writes for the bits. */
export function bytesOfBits(bits: string): Buffer {
  const digits = digitsOf(bits);
  const bytes = Buffer.alloc(digits === '0' ? 0 : Math.ceil(digits.length / 8));
  for (let at = 0; at < bytes.length; at += 1) {
    const end = digits.length - at * 8;
    bytes[at] = Number.parseInt(digits.slice(Math.max(0, end - 8), end), 2);
  }
  return bytes;
}
