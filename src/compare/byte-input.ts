// Reads a range of a buffer. Every read checks the end of the range, so the value of a damaged
// record never contains bytes of another record.
import { Undecodable } from './undecodable.js';

/** The largest number of 7-bit groups whose value a double always represents exactly. */
export const EXACT_GROUPS = 7;
/** The maximum number of 7-bit groups in a number of 64 bits. */
export const MOST_GROUPS = 10;

export class ByteInput {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  readonly #schema: string;

  /** `schema` names the kind of schema in the error for a range that ends too early. */
  constructor(schema: string) {
    this.#schema = schema;
  }

  open(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  byte(): number {
    if (this.at >= this.end) throw this.short();
    return this.bytes[this.at++]!;
  }

  /**
   * Skips `count` bytes. Returns the position of the first one. Throws Undecodable if the range has
   * fewer bytes left.
   */
  take(count: number): number {
    const from = this.at;
    if (!(count >= 0 && count <= this.end - from)) throw this.short();
    this.at = from + count;
    return from;
  }

  /** Reads a number that is written in groups of 7 bits. The last group may exceed the 64th bit. */
  protected groups(): bigint {
    let sum = 0n;
    for (let group = 0n; group < MOST_GROUPS; group += 1n) {
      const next = this.byte();
      sum |= BigInt(next & 0x7f) << (7n * group);
      if (next < 0x80) return sum;
    }
    throw new Undecodable('a number of more than 64 bits');
  }

  protected short(): Undecodable {
    return new Undecodable(`the record ends too early for its ${this.#schema}`);
  }
}
