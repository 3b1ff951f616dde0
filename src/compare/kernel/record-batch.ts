// Encodes the change events of a table's topic in batches. The kernel encodes the records that it
// understands, and the TypeScript reference (enc/) encodes the others. The result has the same
// changes in the same order as if ChangeEncoder had encoded every record.
import type { Shape } from '../row-comparison.js';
import { CHANGE_WORDS, Changes, type Place } from '../enc/change.js';
import { Kernel } from './kernel.js';
import { JsonEncoding, type RecordEncoding } from './record-encoding.js';

const RECORDS = 4096;
const RECORD_WORDS = 4;
const UNCLEAR = -1;

export class RecordBatch {
  /** The number of records that the reference had to encode. */
  referred = 0;
  readonly #encoding: RecordEncoding;
  readonly #kernel: Kernel | null;
  readonly #out = new Changes();
  readonly #one = new Changes();
  readonly #atRecords: number = 0;
  readonly #atChanges: number = 0;
  readonly #response: Region | null = null;
  readonly #copies: Region | null = null;
  /** The ranges of the batch's keys and values in the kernel's memory. */
  readonly #records = new Int32Array(RECORDS * RECORD_WORDS);
  readonly #offsets = new Float64Array(RECORDS);
  #count = 0;
  /** The bytes that were copied last because they were not in the broker's response. */
  #copied: Buffer | null = null;
  #original: Buffer | null = null;
  #length = 0;
  #place: Place = { partition: 0, partitions: 0 };

  /** `encoding` reads the format of the topic, which is JSON by default. */
  constructor(shape: Shape, encoding: RecordEncoding = new JsonEncoding(shape)) {
    this.#encoding = encoding;
    this.#kernel = Kernel.of(shape, encoding.reference.encoder.keyWords === 2);
    if (!this.#kernel) return;
    this.#atRecords = this.#kernel.reserve(this.#records.byteLength);
    this.#atChanges = this.#kernel.reserve(RECORDS * CHANGE_WORDS * 4);
    this.#response = new Region(this.#kernel);
    this.#copies = new Region(this.#kernel);
  }

  /**
   * Discards an unfinished batch, and begins a new batch for the records of a broker's response.
   */
  begin(place: Place, response: Buffer): void {
    this.#place = place;
    this.#count = 0;
    this.#copied = null;
    this.#out.reset();
    this.#original = response;
    this.#length = response.length;
    if (this.#kernel) this.#encoding.prepare(this.#kernel);
    this.#response?.load(response);
  }

  /**
   * The broker's response in the kernel's memory, so that the kernel reads records without a second
   * copy. Without a kernel, this is the response itself. Callers MUST read this property again
   * after `add`, which may move the response.
   */
  get response(): Buffer {
    return this.#response?.view(this.#length) ?? this.#original!;
  }

  /** Computes the CRC-32C of bytes of `response`. Undefined if the shape has no kernel. */
  get checksum(): ((bytes: Uint8Array, from: number, to: number) => number) | undefined {
    const kernel = this.#kernel;
    if (!kernel) return undefined;
    return ({ byteOffset }, from, to) =>
      kernel.exports.crc32c(byteOffset + from, byteOffset + to) >>> 0;
  }

  /**
   * Takes the next record. Its key and value are ranges of `bytes`, which MUST NOT change before
   * `finish`.
   */
  add(
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
  ): void {
    if (!this.#kernel) {
      this.#encode(offset, bytes, keyStart, keyEnd, start, end, this.#out);
      return;
    }
    if (this.#count === RECORDS) this.#flush();
    const base = this.#kernel.has(bytes) ? bytes.byteOffset : this.#copy(bytes);
    const at = this.#count * RECORD_WORDS;
    this.#records[at] = keyStart < 0 ? -1 : base + keyStart;
    this.#records[at + 1] = base + keyEnd;
    this.#records[at + 2] = start < 0 ? -1 : base + start;
    this.#records[at + 3] = base + end;
    this.#offsets[this.#count] = offset;
    this.#count += 1;
  }

  /** Returns the changes of all records, which are valid until the next `begin`. */
  finish(): Changes {
    this.#flush();
    this.#copied = null;
    return this.#out;
  }

  /**
   * Copies bytes, such as a decompressed batch, into the kernel's memory. Returns their address.
   */
  #copy(bytes: Buffer): number {
    if (bytes !== this.#copied) {
      this.#flush();
      this.#copies!.load(bytes);
      this.#copied = bytes;
    }
    return this.#copies!.at;
  }

  #flush(): void {
    const count = this.#count;
    if (!this.#kernel || count === 0) return;
    this.#count = 0;
    const records = this.#records.subarray(0, count * RECORD_WORDS);
    this.#kernel.words(this.#atRecords, records.length).set(records);
    const places = [this.#atRecords, count, this.#atChanges] as const;
    const unclear = this.#encoding.encodeAll(this.#kernel, places, this.#place);
    const words = this.#kernel.words(this.#atChanges, count * CHANGE_WORDS);
    for (let at = 0, left = unclear; left > 0; at += 1) {
      if (words[at * CHANGE_WORDS] !== UNCLEAR) continue;
      this.#one.reset();
      const [keyStart, keyEnd, start, end] = records.subarray(at * RECORD_WORDS);
      const { bytes } = this.#kernel;
      this.#encode(this.#offsets[at]!, bytes, keyStart!, keyEnd!, start!, end!, this.#one);
      words.set(this.#one.words.subarray(0, CHANGE_WORDS), at * CHANGE_WORDS);
      left -= 1;
    }
    this.#out.append(words);
  }

  #encode(
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    out: Changes,
  ): void {
    this.referred += 1;
    this.#encoding.encode(this.#place, offset, bytes, keyStart, keyEnd, start, end, out);
  }
}

const FIRST_ROOM = 1 << 20;

/** A part of the kernel's memory that grows with what is loaded into it. */
class Region {
  at = 0;
  readonly #kernel: Kernel;
  #room = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  load(bytes: Uint8Array): void {
    if (bytes.length > this.#room) {
      this.#room = Math.max(bytes.length, this.#room * 2, FIRST_ROOM);
      this.at = this.#kernel.reserve(this.#room);
    }
    this.#kernel.bytes.set(bytes, this.at);
  }

  view(length: number): Buffer {
    return this.#kernel.bytes.subarray(this.at, this.at + length);
  }
}
