// Reads the binary encoding of Avro from a range of a buffer.
import { ByteInput, EXACT_GROUPS, MOST_GROUPS } from '../byte-input.js';
import { Undecodable } from '../undecodable.js';

export const noBranch = (): Undecodable =>
  new Undecodable('a branch that its Avro schema does not have');

export class AvroInput extends ByteInput {
  constructor() {
    super('Avro schema');
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
    const sum = this.groups();
    const value = BigInt.asIntN(64, (sum >> 1n) ^ -(sum & 1n));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Reads a length, a count or the index of a branch. Throws Undecodable if it is too large. */
  count(): number {
    const value = this.long();
    if (typeof value === 'number') return value;
    throw this.short();
  }

  /** Reads the index of a branch of a union of two types. Throws Undecodable for other indexes. */
  branchOfTwo(): number {
    const value = this.count();
    if (value === 0 || value === 1) return value;
    throw noBranch();
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
