// Stores both sides of a comparison on disk, as short records. A side has the changes of the
// stream, or the rows of a table, a query or a sink. The key of a record selects its part, and each
// part has its own file. A comparison reads back one part at a time. The files are removed after
// the pass. If an attempt dies, the next attempt on that topic removes the old folder.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A record has the key (4 words), the row hash (2 words), and 3 words whose meaning depends on the
 * comparison. Of these three, the first two mark a delete, or contain the place of the row or of
 * its Kafka record. The third is the hash of the bytes of the Kafka record's key.
 */
const KEY_WORDS = 4;
export const SPILL_WORDS = KEY_WORDS + 2 + 3;
const BUFFER_RECORDS = 2048;
const MOST_PARTS = 256;

export interface Spilled {
  readonly key: Int32Array;
  readonly high: number;
  readonly low: number;
  readonly extra0: number;
  readonly extra1: number;
  readonly extra2: number;
}

/**
 * Returns the bytes of memory that a key table with this many keys needs. The number includes the
 * extra memory that the table needs while it grows.
 */
export const bytesNeeded = (keys: number): number => keys * 64;

/**
 * Returns the number of parts into which `bytes` must be divided, so that each part fits into
 * `budget`. Returns 1 if everything fits at once. The number is at most `MOST_PARTS`, even if a
 * part then exceeds the budget.
 */
export function partsFor(bytes: number, budget: number): number {
  let parts = 1;
  while (parts < MOST_PARTS && bytes / parts > budget) parts *= 2;
  return parts;
}

/** Stores the records of one side, with one file for each part. */
export class SpillSide {
  readonly #files: number[];
  readonly #buffers: Int32Array[];
  readonly #filled: number[];
  readonly #parts: number;
  bytes = 0;

  /** Creates the files. `parts` MUST be a power of two. Throws the errors of the file system. */
  constructor(dir: string, name: string, parts: number) {
    this.#parts = parts;
    this.#files = Array.from({ length: parts }, (_, part) =>
      openSync(join(dir, `${name}-${part}`), 'w+', 0o600),
    );
    this.#buffers = this.#files.map(() => new Int32Array(BUFFER_RECORDS * SPILL_WORDS));
    this.#filled = this.#files.map(() => 0);
  }

  add(
    key: Int32Array,
    high: number,
    low: number,
    extra0: number,
    extra1: number,
    extra2 = 0,
  ): void {
    const part = partOf(key, this.#parts);
    const buffer = this.#buffers[part]!;
    const at = this.#filled[part]!;
    for (let word = 0; word < KEY_WORDS; word += 1) buffer[at + word] = key[word]!;
    buffer[at + 4] = high;
    buffer[at + 5] = low;
    buffer[at + 6] = extra0;
    buffer[at + 7] = extra1;
    buffer[at + 8] = extra2;
    this.#filled[part] = at + SPILL_WORDS;
    if (at + SPILL_WORDS === buffer.length) this.#write(part);
  }

  /** Visits the records of a part in the order in which they were added. Returns their number. */
  visit(part: number, visit: (record: Spilled) => void): number {
    this.#write(part);
    const file = this.#files[part]!;
    const words = new Int32Array(BUFFER_RECORDS * SPILL_WORDS);
    const bytes = new Uint8Array(words.buffer);
    let count = 0;
    for (let position = 0; ;) {
      const read = readWhole(file, bytes, position);
      if (read === 0) return count;
      position += read;
      for (let at = 0; at < read / 4; at += SPILL_WORDS) {
        const key = words.subarray(at, at + KEY_WORDS);
        visit({
          key,
          high: words[at + 4]!,
          low: words[at + 5]!,
          extra0: words[at + 6]!,
          extra1: words[at + 7]!,
          extra2: words[at + 8]!,
        });
        count += 1;
      }
    }
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }

  #write(part: number): void {
    const bytes = new Uint8Array(this.#buffers[part]!.buffer, 0, this.#filled[part]! * 4);
    // the write appends, because reading starts only after the last write
    for (let at = 0; at < bytes.length;) at += writeSync(this.#files[part]!, bytes, at);
    this.bytes += bytes.length;
    this.#filled[part] = 0;
  }
}

/** Removes the folder and its content. */
export const removeSpill = (dir: string): void => rmSync(dir, { recursive: true, force: true });

/**
 * Fills the buffer from the file, or reads to the end of the file. Returns the number of bytes
 * read. The file contains only whole records.
 */
function readWhole(file: number, into: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < into.length) {
    const read = readSync(file, into, filled, into.length - filled, position + filled);
    if (read === 0) return filled;
    filled += read;
  }
  return filled;
}

/**
 * Returns the number of the part to which a key belongs. A key table uses certain bits of a key to
 * select the key's hash slot. This function uses different bits. Otherwise, the keys of a part
 * would use only some of the hash slots.
 */
function partOf(key: Int32Array, parts: number): number {
  let h = Math.imul(key[0]! ^ Math.imul(key[1]!, 0x27d4eb2f), 0x165667b1);
  h = Math.imul(h ^ (h >>> 13), 0x9e3779b1);
  return ((h ^ (h >>> 16)) >>> 0) & (parts - 1);
}
