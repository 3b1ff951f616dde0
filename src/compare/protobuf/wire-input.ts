// Reads the wire format of Protobuf from a range of a buffer.
import { ByteInput, EXACT_GROUPS } from '../byte-input.js';
import { Undecodable } from '../undecodable.js';

/** The numbers of the encodings. They are the last three bits of a field's tag. */
export const WIRE = { varint: 0, eight: 1, sized: 2, four: 5 } as const;

export class WireInput extends ByteInput {
  constructor(bytes: Buffer, from: number, to: number) {
    super('Protobuf');
    this.open(bytes, from, to);
  }

  /** Reads a whole number without a sign. Returns a bigint if it may exceed 2^53. */
  varint(): number | bigint {
    const start = this.at;
    let sum = 0;
    let scale = 1;
    for (let group = 0; group < EXACT_GROUPS; group += 1) {
      const next = this.byte();
      sum += (next & 0x7f) * scale;
      if (next < 0x80) return sum;
      scale *= 128;
    }
    this.at = start;
    return BigInt.asUintN(64, this.groups());
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
