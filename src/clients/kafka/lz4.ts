// Reads LZ4 frames as Kafka's producers write them (https://github.com/lz4/lz4,
// doc/lz4_Frame_format.md and lz4_Block_format.md). No maintained library reads them without native
// code. The code does not verify the checksums of LZ4, because the batch has a CRC. Kafka's own
// consumers also ignore the checksums of blocks.

const MAGIC = 0x184d2204;
const LEAST_MATCH = 4;

/**
 * Decompresses one or several frames. Throws RangeError or Error for bytes that are not LZ4 frames,
 * and for frames whose content has more than `most` bytes together.
 */
export function unlz4(frame: Buffer, most: number): Uint8Array {
  const out = new Output(Math.min(most, frame.length * 4), most);
  let at = 0;
  while (at < frame.length) at = readFrame(frame, at, out);
  return out.bytes.subarray(0, out.length);
}

class Output {
  bytes: Uint8Array;
  length = 0;
  readonly #most: number;

  constructor(size: number, most: number) {
    this.bytes = new Uint8Array(size);
    this.#most = most;
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    if (needed > this.#most) throw new RangeError(`more than ${this.#most} bytes`);
    const grown = new Uint8Array(Math.min(this.#most, Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Reads one frame. Returns the offset at which it ends. */
function readFrame(b: Buffer, start: number, out: Output): number {
  if (b.readUInt32LE(start) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = b.readUInt8(start + 4);
  if (flags >> 6 !== 1) throw new Error(`LZ4 frame of version ${flags >> 6}`);
  if (flags & 0x01) throw new Error('an LZ4 dictionary is needed');
  const blockChecksum = flags & 0x10 ? 4 : 0;
  // The descriptor has flags, a block size, an optional content size, and its own checksum.
  let at = start + 6 + (flags & 0x08 ? 8 : 0) + 1;
  for (;;) {
    const head = b.readUInt32LE(at);
    at += 4;
    if (head === 0) return at + (flags & 0x04 ? 4 : 0);
    const size = head & 0x7fffffff;
    if (at + size > b.length) throw new RangeError('an LZ4 block is cut off');
    if (head >>> 31) {
      out.reserve(size);
      out.bytes.set(b.subarray(at, at + size), out.length);
      out.length += size;
    } else readBlock(b, at, at + size, out);
    at += size + blockChecksum;
  }
}

function readBlock(b: Buffer, start: number, end: number, out: Output): void {
  let at = start;
  const lengthAt = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) for (let more = 255; more === 255;) length += more = byteAt(b, at++, end);
    return length;
  };
  while (at < end) {
    const token = b[at++]!;
    const literals = lengthAt(token >> 4);
    if (at + literals > end) throw new RangeError('LZ4 literals are cut off');
    out.reserve(literals);
    out.bytes.set(b.subarray(at, at + literals), out.length);
    out.length += literals;
    at += literals;
    if (at >= end) return; // the last sequence has no match
    const distance = byteAt(b, at, end) | (byteAt(b, at + 1, end) << 8);
    at += 2;
    copyMatch(out, distance, lengthAt(token & 15) + LEAST_MATCH);
  }
}

function byteAt(b: Buffer, at: number, end: number): number {
  if (at >= end) throw new RangeError('an LZ4 sequence is cut off');
  return b[at]!;
}

function copyMatch(out: Output, distance: number, length: number): void {
  if (distance === 0 || distance > out.length)
    throw new RangeError('an LZ4 match points before the beginning of the data');
  out.reserve(length);
  const { bytes } = out;
  let to = out.length;
  // source and target may overlap
  for (let from = to - distance, left = length; left > 0; left -= 1) bytes[to++] = bytes[from++]!;
  out.length = to;
}
