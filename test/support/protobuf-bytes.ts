// Encodes values in Protobuf's wire format. This code follows the specification. It does not use
// the tested code, because that code must not check itself.

/** Encodes a whole number of up to 64 bits. A negative number takes ten bytes. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export const zigzag = (value: number | bigint): Buffer => {
  const wide = BigInt(value);
  return varint((wide << 1n) ^ (wide >> 63n));
};

/** Encodes a field: its number, its kind of encoding, and its value. */
export const field = (id: number, wire: number, value: Buffer): Buffer =>
  Buffer.concat([varint(id * 8 + wire), value]);
export const number = (id: number, value: number | bigint): Buffer => field(id, 0, varint(value));
export const sized = (id: number, value: Buffer | string): Buffer => {
  const bytes = Buffer.from(value);
  return field(id, 2, Buffer.concat([varint(bytes.length), bytes]));
};

export function fixed(id: number, size: 4 | 8, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return field(id, size === 4 ? 5 : 1, bytes);
}

/**
 * Builds a record in Confluent's wire format. It has a zero byte, the id of the schema, the path to
 * the message in the schema, and the fields. An empty path means the first message.
 */
export function message(id: number, path: readonly number[], ...fields: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  const numbers = path.length === 0 ? [0] : [path.length, ...path];
  return Buffer.concat([head, ...numbers.map(zigzag), ...fields]);
}
