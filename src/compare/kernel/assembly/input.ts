// Reads the binary encoding of Avro from a range of memory, and never past its end.

export let at: usize = 0;
let end: usize = 0;
/** True if the range ended too early, or if a number was too long. */
export let isBroken: bool = false;

export function open(from: usize, to: usize): void {
  at = from;
  end = to;
  isBroken = false;
}

/** Reads an `int` or `long`. Its last group of seven bits may have bits beyond the 64th. */
export function readLong(): i64 {
  if (at < end) {
    const first = <u64>load<u8>(at);
    if (first < 0x80) {
      at += 1;
      return <i64>(first >> 1) ^ -(<i64>(first & 1));
    }
  }
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte = <u64>load<u8>(at);
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return <i64>(value >> 1) ^ -(<i64>(value & 1));
  }
  isBroken = true;
  return 0;
}

/** Skips `size` bytes. Returns the address of the first one. */
export function take(size: i64): usize {
  const start = at;
  if (size < 0 || size > <i64>(end - at)) isBroken = true;
  else at += <usize>size;
  return start;
}

export function isAtEnd(): bool {
  return at == end && !isBroken;
}
