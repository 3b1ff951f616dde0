// Reads the binary encoding of Avro from a range of a buffer. Every read checks the end of the
// range, so the value of a damaged record never contains bytes of another record.
import { Undecodable } from '../undecodable.js';

/** The largest number of 7-bit groups whose value a double always represents exactly. */
const EXACT_GROUPS = 7;
const MOST_GROUPS = 10;

const short = (): Undecodable => new Undecodable('the record ends too early for its Avro schema');

export class AvroInput {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;

  open(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  byte(): number {
    if (this.at >= this.end) throw short();
    return this.bytes[this.at++]!;
  }

  /** Skips `count` bytes. Returns the position of the first one. Throws Undecodable. */
  take(count: number): number {
    const from = this.at;
    if (count < 0 || count > this.end - from) throw short();
    this.at = from + count;
    return from;
  }

  /** Reads an `int` or `long`. Returns a bigint for a number beyond 2^53. */
  long(): number | bigint {
    const first = this.byte();
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    const start = this.at - 1;
    let sum = first & 0x7f;
    let scale = 128;
    for (let group = 2; group <= EXACT_GROUPS; group += 1) {
      const next = this.byte();
      sum += (next & 0x7f) * scale;
      if (next < 0x80) return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
      scale *= 128;
    }
    return this.#wide(start);
  }

  #wide(start: number): number | bigint {
    this.at = start;
    let sum = 0n;
    for (let group = 0n; group < MOST_GROUPS; group += 1n) {
      const next = this.byte();
      sum |= BigInt(next & 0x7f) << (7n * group);
      if (next >= 0x80) continue;
      const value = BigInt.asIntN(64, (sum >> 1n) ^ -(sum & 1n));
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    throw new Undecodable('a number of more than 64 bits');
  }

  /** Reads a length, a count or the index of a branch. Throws Undecodable. */
  count(): number {
    const value = this.long();
    if (typeof value === 'number') return value;
    throw short();
  }

  skipLong(): void {
    for (let group = 0; group < MOST_GROUPS; group += 1) if (this.byte() < 0x80) return;
    throw new Undecodable('a number of more than 64 bits');
  }

  /** Skips the bytes of a `bytes` or `string` value. Returns the position of the first byte. */
  sized(): number {
    return this.take(this.count());
  }

  float(): number {
    return this.bytes.readFloatLE(this.take(4));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }
}
