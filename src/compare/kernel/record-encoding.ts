// Defines how a batch of records becomes changes. The kernel encodes the records that it
// understands. The reference then encodes the other records, one by one.
import { stepsOf } from '../avro/kernel-steps.js';
import { ChangeEncoder, KIND, type Changes, type Place } from '../enc/change.js';
import type { RecordDecoder } from '../record-decoder.js';
import type { Shape } from '../row-comparison.js';
import type { Kernel } from './kernel.js';

/** The places of records in the kernel's memory, their number, and the place for their changes. */
export type Places = readonly [atRecords: number, count: number, atChanges: number];

export interface RecordEncoding {
  readonly reference: ChangeEncoder;
  /** Makes room in the kernel's memory. Records are loaded only after this call. */
  prepare(kernel: Kernel): void;
  /** Encodes all records with the kernel. Returns how many of them the reference must encode. */
  encodeAll(kernel: Kernel, places: Places, place: Place): number;
  /** Encodes one record by the reference. Adds exactly one change to the record's `out`. */
  encode(...record: Parameters<ChangeEncoder['encode']>): void;
}

export class JsonEncoding implements RecordEncoding {
  readonly reference: ChangeEncoder;

  constructor(shape: Shape) {
    this.reference = new ChangeEncoder(shape);
  }

  prepare(): void {
    // records in JSON need no memory besides their own
  }

  encodeAll({ exports }: Kernel, places: Places, { partition, partitions }: Place): number {
    return exports.encodeRecords(...places, partition, partitions);
  }

  encode(...record: Parameters<ChangeEncoder['encode']>): void {
    this.reference.encode(...record);
  }
}

const NOTHING = new Int32Array(4);
/** The largest number of schemas whose records the kernel encodes. */
const MOST_SCHEMAS = 64;
const SCHEMA_WORDS = 2;

/** Encodes records of a schema registry. The kernel encodes only those in Avro. */
export class RegistryEncoding implements RecordEncoding {
  readonly reference: ChangeEncoder;
  readonly decoder: RecordDecoder;
  readonly #shape: Shape;
  /** By schema id, the steps (kernel-steps.ts) that are not yet in the kernel's memory. */
  readonly #new = new Map<number, Int32Array<ArrayBuffer>>();
  #atSchemas = 0;
  #schemas = 0;

  constructor(shape: Shape, decoder: RecordDecoder) {
    this.#shape = shape;
    this.reference = new ChangeEncoder(shape);
    this.decoder = decoder;
  }

  /** Takes the text of a schema. Null means that no schema has this id. */
  learn(id: number, text: string | null): void {
    this.decoder.learn(id, text);
    const steps =
      text !== null && this.decoder.schemaType === 'AVRO' ? stepsOf(text, this.#shape) : null;
    if (steps) this.#new.set(id, steps);
  }

  prepare(kernel: Kernel): void {
    if (this.#new.size === 0) return;
    if (this.#atSchemas === 0) this.#atSchemas = kernel.reserve(MOST_SCHEMAS * SCHEMA_WORDS * 4);
    for (const [id, steps] of this.#new) {
      if (this.#schemas === MOST_SCHEMAS) break;
      const at = kernel.reserve(steps.byteLength);
      kernel.words(at, steps.length).set(steps);
      const entry = this.#atSchemas + this.#schemas * SCHEMA_WORDS * 4;
      kernel.words(entry, SCHEMA_WORDS).set([id, at]);
      this.#schemas += 1;
    }
    this.#new.clear();
  }

  encodeAll({ exports }: Kernel, places: Places, { partition, partitions }: Place): number {
    const { keySchema } = this.decoder;
    // The kernel compares the schema of each key with the schema of the first key. Until the
    // decoder has found the first key, the reference encodes every record.
    const schemas = keySchema === null ? 0 : this.#schemas;
    return exports.encodeAvroRecords(
      ...places,
      partition,
      partitions,
      this.#atSchemas,
      schemas,
      keySchema ?? 0,
    );
  }

  encode(...[place, offset, ...rest]: Parameters<ChangeEncoder['encode']>): void {
    const [bytes, keyStart, keyEnd, start, end, out]: [
      Buffer,
      number,
      number,
      number,
      number,
      Changes,
    ] = rest;
    this.decoder.begin(place);
    this.decoder.add(offset, bytes, keyStart, keyEnd, start, end);
    // If the decoder lacks schemas, the caller discards these changes and reads the batch again.
    if (this.decoder.wanted.size > 0) return out.push(KIND.unreadable, NOTHING, NOTHING, 0);
    // The decoder has checked the partition. The reference must not check it (`partitions` is 0),
    // because the key's JSON does not contain the bytes that are needed for this check.
    const decoded = { partition: place.partition, partitions: 0 };
    this.decoder.visit((at, json, ...ranges) => {
      const [keyFrom, keyTo, from, to] = ranges;
      this.reference.encode(decoded, at, json, keyFrom, keyTo, from, to, out);
    });
  }
}
