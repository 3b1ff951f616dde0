// Encodes values in Avro's binary form and in Confluent's wire format. This code follows the
// specification. It does not use the tested code, because that code must not check itself.

/** Encodes an `int` or `long`. */
export function long(value: number | bigint): Buffer {
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export const bytes = (value: Buffer): Buffer => Buffer.concat([long(value.length), value]);
export const string = (value: string): Buffer => bytes(Buffer.from(value));
/** Encodes a value of a union: the index of its branch, then the bytes of the value. */
export const branch = (at: number, value: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([long(at), value]);

export function double(value: number): Buffer {
  const b = Buffer.alloc(8);
  b.writeDoubleLE(value);
  return b;
}

export function float(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeFloatLE(value);
  return b;
}

/** Builds a message in Confluent's wire format: a zero byte, the id of the schema, the values. */
export function framed(id: number, ...values: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, ...values]);
}
