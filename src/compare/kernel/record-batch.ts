// Encodes the change events of a table's topic in batches: the kernel does what it understands, and
// the reference does the rest. The changes are those of ChangeEncoder, in the same order.
import type { Shape } from '../comparison.js';
import { CHANGE_WORDS, ChangeEncoder, Changes, type Place } from '../enc/change.js';
import { Kernel } from './kernel.js';

const RECORDS = 4096;
const RECORD_WORDS = 4;
const UNCLEAR = -1;

export class RecordBatch {
  /** The number of records that the reference had to encode. */
  referred = 0;
  readonly #reference: ChangeEncoder;
  readonly #kernel: Kernel | null;
  readonly #out = new Changes();
  readonly #one = new Changes();
  readonly #atRecords: number = 0;
  readonly #atChanges: number = 0;
  #atBody = 0;
  #room = 0;
  /** The batch's records: where their keys and values begin and end in the body. */
  readonly #records = new Int32Array(RECORDS * RECORD_WORDS);
  readonly #offsets = new Float64Array(RECORDS);
  #count = 0;
  #body: Buffer | null = null;
  #place: Place = { partition: 0, partitions: 0 };

  constructor(shape: Shape) {
    this.#reference = new ChangeEncoder(shape);
    this.#kernel = Kernel.of(shape, this.#reference.encoder.keyWords === 2);
    if (!this.#kernel) return;
    this.#atRecords = this.#kernel.reserve(this.#records.byteLength);
    this.#atChanges = this.#kernel.reserve(RECORDS * CHANGE_WORDS * 4);
  }

  /** Forgets what an unfinished batch had, and begins one of this place. */
  begin(place: Place): void {
    this.#place = place;
    this.#count = 0;
    this.#body = null;
    this.#out.reset();
  }

  /**
   * Takes the next record. Its key and value are ranges of `bytes`, which MUST stay as they are
   * until `finish`.
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
    if (bytes !== this.#body || this.#count === RECORDS) {
      this.#flush();
      this.#load(bytes, this.#kernel);
    }
    const body = this.#atBody;
    const at = this.#count * RECORD_WORDS;
    this.#records[at] = keyStart < 0 ? -1 : body + keyStart;
    this.#records[at + 1] = body + keyEnd;
    this.#records[at + 2] = start < 0 ? -1 : body + start;
    this.#records[at + 3] = body + end;
    this.#offsets[this.#count] = offset;
    this.#count += 1;
  }

  /** Returns the changes of all records, which are valid until the next `begin`. */
  finish(): Changes {
    this.#flush();
    this.#body = null;
    return this.#out;
  }

  #flush(): void {
    const count = this.#count;
    if (!this.#kernel || count === 0) return;
    this.#count = 0;
    const { partition, partitions } = this.#place;
    const records = this.#records.subarray(0, count * RECORD_WORDS);
    this.#kernel.words(this.#atRecords, records.length).set(records);
    const unclear = this.#kernel.exports.encodeRecords(
      this.#atRecords,
      count,
      this.#atChanges,
      partition,
      partitions,
    );
    const words = this.#kernel.words(this.#atChanges, count * CHANGE_WORDS);
    for (let at = 0, left = unclear; left > 0; at += 1) {
      if (words[at * CHANGE_WORDS] !== UNCLEAR) continue;
      this.#one.reset();
      this.#byReference(at);
      words.set(this.#one.words.subarray(0, CHANGE_WORDS), at * CHANGE_WORDS);
      left -= 1;
    }
    this.#out.append(words);
  }

  #byReference(at: number): void {
    const body = this.#atBody;
    const first = at * RECORD_WORDS;
    const [keyStart, start] = [this.#records[first]!, this.#records[first + 2]!];
    this.#encode(
      this.#offsets[at]!,
      this.#body!,
      keyStart < 0 ? -1 : keyStart - body,
      this.#records[first + 1]! - body,
      start < 0 ? -1 : start - body,
      this.#records[first + 3]! - body,
      this.#one,
    );
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
    this.#reference.encode(this.#place, offset, bytes, keyStart, keyEnd, start, end, out);
  }

  #load(bytes: Buffer, kernel: Kernel): void {
    if (bytes === this.#body) return;
    if (bytes.length > this.#room) {
      this.#room = Math.max(bytes.length, this.#room * 2, 1 << 20);
      this.#atBody = kernel.reserve(this.#room);
    }
    kernel.bytes.set(bytes, this.#atBody);
    this.#body = bytes;
  }
}
