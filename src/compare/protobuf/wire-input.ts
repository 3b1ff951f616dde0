// Reads the wire format of Protobuf from a range of a buffer. Every read checks the end of the range.
import { Undecodable } from '../undecodable.js';

const MOST_GROUPS = 10;
/** The largest number of 7-bit groups whose value a double always represents exactly. */
const EXACT_GROUPS = 7;

/** The kinds of encodings, as the last three bits of a tag name them. */
export const WIRE = { varint: 0, eight: 1, sized: 2, four: 5 } as const;

const short = (): Undecodable => new Undecodable('the record ends too early for its Protobuf');

export class WireInput {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** Skips `count` bytes. Returns the position of the first one. Throws Undecodable. */
  take(count: number): number {
    const from = this.at;
    if (!(count <= this.end - from)) throw short();
    this.at = from + count;
    return from;
  }

  /** Reads a whole number without a sign. Returns a bigint if it may exceed 2^53. */
  varint(): number | bigint {
    const start = this.at;
    let sum = 0;
    let scale = 1;
    for (let group = 0; group < EXACT_GROUPS; group += 1) {
      const next = this.bytes[this.take(1)]!;
      sum += (next & 0x7f) * scale;
      if (next < 0x80) return sum;
      scale *= 128;
    }
    this.at = start;
    return this.#wide();
  }

  #wide(): bigint {
    let sum = 0n;
    for (let group = 0n; group < MOST_GROUPS; group += 1n) {
      const next = this.bytes[this.take(1)]!;
      sum |= BigInt(next & 0x7f) << (7n * group);
      if (next < 0x80) return BigInt.asUintN(64, sum);
    }
    throw new Undecodable('a number of more than 64 bits');
  }

  /** Reads the length of a value, and returns the range of the value. */
  sized(): WireInput {
    const length = Number(this.varint());
    const from = this.take(length);
    return new WireInput(this.bytes, from, from + length);
  }

  /** Skips a value of an unknown field. */
  skip(wire: number): void {
    if (wire === WIRE.varint) this.varint();
    else if (wire === WIRE.eight) this.take(8);
    else if (wire === WIRE.four) this.take(4);
    else if (wire === WIRE.sized) this.sized();
    else throw new Undecodable(`the encoding ${wire}, which proto3 does not have`);
  }
}
