// Reads big-endian integers from bytes, as Postgres and Kafka send them.

export const uint16At = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!;
export const int16At = (b: Uint8Array, at: number): number => (uint16At(b, at) << 16) >> 16;
export const int32At = (b: Uint8Array, at: number): number =>
  (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
