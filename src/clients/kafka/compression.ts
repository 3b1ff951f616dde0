// Decompresses the body of a record batch, in every codec of Kafka. Node reads gzip, libraries read
// snappy and zstd, and lz4.ts reads LZ4 frames.
import { gunzipSync } from 'node:zlib';
import { Decompress } from 'fzstd';
import snappy from 'snappyjs';
import { Problem } from '../../domain/failure.js';
import { unlz4 } from './lz4.js';

/**
 * The maximum size of a decompressed body. Producers usually send at most a few megabytes, so a
 * body that would become larger than this counts as damaged.
 */
export const MOST_BYTES = 512 * 1024 * 1024;

const CODECS: readonly { readonly name: string; readonly open: (body: Buffer) => Uint8Array }[] = [
  { name: 'none', open: (body) => body },
  { name: 'gzip', open: (body) => gunzipSync(body, { maxOutputLength: MOST_BYTES }) },
  { name: 'snappy', open: unsnappy },
  { name: 'lz4', open: (body) => unlz4(body, MOST_BYTES) },
  { name: 'zstd', open: unzstd },
];

/**
 * Decompresses a batch's body. Throws Problem `unsupported` for an unknown codec, for bytes that
 * are not valid in their codec, and for more than `MOST_BYTES`. `offset` is the batch's offset, for
 * the message.
 */
export function decompress(body: Buffer, codec: number, offset: number): Buffer {
  if (codec === 0) return body;
  const known = CODECS[codec];
  if (!known)
    throw new Problem(
      'unsupported',
      `records at offset ${offset} are compressed with codec ${codec}`,
      'set compression.type of the producer to a codec of Kafka 4',
    );
  try {
    const plain = known.open(body);
    return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem(
      'unsupported',
      `the batch at offset ${offset} cannot be decompressed as ${known.name}: ${why}`,
      'check the topic; the batch is damaged, or larger than 512 MiB after decompression',
    );
  }
}

/**
 * Decompresses one block after the other and limits the total size, because a body can expand to
 * thousands of times its size.
 */
function unzstd(body: Buffer): Uint8Array {
  const blocks: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((block) => {
    total += block.length;
    if (total > MOST_BYTES) throw new RangeError(`more than ${MOST_BYTES} bytes`);
    blocks.push(Uint8Array.from(block));
  });
  stream.push(body, true);
  return Buffer.concat(blocks, total);
}

// The magic number of a stream of snappy blocks, as Java's producers write it. Two version numbers
// follow, and then the blocks. librdkafka's producers write a single block without these bytes.
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

function unsnappy(body: Buffer): Uint8Array {
  if (!body.subarray(0, XERIAL.length).equals(XERIAL)) return openBlock(body, MOST_BYTES);
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = XERIAL.length + 8; at < body.length;) {
    const size = body.readInt32BE(at);
    if (size <= 0) throw new RangeError('a snappy block without bytes');
    const block = openBlock(body.subarray(at + 4, at + 4 + size), MOST_BYTES - total);
    total += block.length;
    blocks.push(block);
    at += 4 + size;
  }
  return Buffer.concat(blocks, total);
}

/** Checks the lengths in one snappy block, then decompresses the block. */
function openBlock(block: Buffer, mostBytes: number): Uint8Array {
  refuseOversized(block);
  return snappy.uncompress(block, mostBytes);
}

/**
 * Throws RangeError if an element of the block (a literal or a copy) goes beyond the block, or if
 * its length or offset is 2 GiB or more. snappyjs would read such a length as a negative number,
 * move backward, and never end.
 */
function refuseOversized(block: Buffer): void {
  let at = 0;
  while (block[at]! >= 0x80) at += 1; // skips the decompressed length
  for (at += 1; at < block.length;) {
    const tag = block[at]!;
    const kind = tag & 3;
    const short = tag >>> 2;
    // A literal consists of a tag, its length (unless the tag contains the length) and its bytes. A
    // copy consists of a tag and an offset.
    const sized = kind === 0 ? Math.max(0, short - 59) : kind === 3 ? 4 : kind;
    if (at + 1 + sized > block.length) throw new RangeError('a snappy block ends too early');
    const number = sized === 0 ? short : block.readUIntLE(at + 1, sized);
    at += 1 + sized + (kind === 0 ? number + 1 : 0);
    if (number >= 2 ** 31 || at > block.length)
      throw new RangeError('a length in a snappy block is too large');
  }
}
