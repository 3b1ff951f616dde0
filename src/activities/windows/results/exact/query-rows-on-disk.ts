// Keeps the rows of a query on disk, so that the query need not run again for the suspects. The
// comparison first finds the suspects, whose hashes do not prove their rows equal. Then it reads
// the rows of the suspects from disk.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BUFFER_BYTES = 1 << 20;
const LENGTH_BYTES = 4;
const TWO_32 = 4294967296;

/** The place of a row in the file, as two 32-bit words. */
export type RawPlace = readonly [high: number, low: number];

export class RawRows {
  readonly #file: number;
  #buffer = Buffer.alloc(BUFFER_BYTES);
  #filled = 0;
  #written = 0;

  /** Creates the file. Throws the errors of the file system. */
  constructor(dir: string) {
    this.#file = openSync(join(dir, 'raw'), 'w+', 0o600);
  }

  get bytes(): number {
    return this.#written + this.#filled;
  }

  append(row: Uint8Array): RawPlace {
    const at = this.bytes;
    const size = LENGTH_BYTES + row.length;
    if (this.#filled + size > this.#buffer.length) this.#flush();
    if (size > this.#buffer.length) this.#buffer = Buffer.alloc(size);
    this.#buffer.writeUInt32BE(row.length, this.#filled);
    this.#buffer.set(row, this.#filled + LENGTH_BYTES);
    this.#filled += size;
    return [Math.floor(at / TWO_32), at | 0];
  }

  read([high, low]: RawPlace): Uint8Array {
    this.#flush();
    const at = high * TWO_32 + (low >>> 0);
    const length = this.#readAt(at, LENGTH_BYTES).readUInt32BE(0);
    return this.#readAt(at + LENGTH_BYTES, length);
  }

  close(): void {
    closeSync(this.#file);
  }

  #readAt(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length;) {
      const read = readSync(this.#file, bytes, at, length - at, position + at);
      if (read === 0) throw new Error('the file of rows is shorter than what was written to it');
      at += read;
    }
    return bytes;
  }

  #flush(): void {
    for (let at = 0; at < this.#filled;) {
      at += writeSync(this.#file, this.#buffer, at, this.#filled - at, this.#written + at);
    }
    this.#written += this.#filled;
    this.#filled = 0;
  }
}
