// Rewrites records in the wire format of a schema registry as the JSON that the folds read. Each
// key or value in this format has a zero byte, the id of its schema in four bytes, and the content.
// If one of them cannot be rewritten, the reason takes its place. The reason is not JSON, so every
// reader refuses the record and shows the reason.
import type { Place } from './enc/change.js';
import { murmur2, partitionOf } from '../domain/values/partition.js';
import { JsonOutput } from './json-output.js';
import type { RecordDecoder, TakeDecoded } from './record-decoder.js';
import { Undecodable } from './undecodable.js';

const MAGIC = 0;
const HEADER_BYTES = 5;
const RANGES = 4;
const NONE = -1;

/** Reads the value in `[from, to)`, and writes its JSON. Throws Undecodable if it cannot. */
export type RewriteValue = (bytes: Buffer, from: number, to: number, out: JsonOutput) => void;

/** The properties that differ from format to format. */
export interface WireFormat {
  /** A record of the format in words, such as `an Avro record`. */
  readonly record: string;
  /** The type of its schemas, as the registry names it. */
  readonly schemaType: string;
  /** Compiles the text of a schema. Throws Undecodable if the schema cannot be used. */
  readonly compile: (schema: string) => RewriteValue;
}

export class RegistryRecords implements RecordDecoder {
  readonly schemaType: string;
  readonly wanted = new Set<number>();
  readonly #format: WireFormat;
  readonly #schemas = new Map<number, RewriteValue | Undecodable>();
  readonly #out = new JsonOutput();
  #ranges = new Int32Array(RANGES * 1024);
  #offsets = new Float64Array(1024);
  #spellings = new Int32Array(1024);
  #count = 0;
  #place: Place = { partition: 0, partitions: 0 };
  keySchema: number | null = null;

  constructor(format: WireFormat) {
    this.#format = format;
    this.schemaType = format.schemaType;
  }

  learn(id: number, schema: string | null): void {
    this.wanted.delete(id);
    this.#schemas.set(id, schema === null ? noSchema(id) : compiled(this.#format, schema));
  }

  begin(place: Place): void {
    this.#place = place;
    this.#count = 0;
    this.#out.length = 0;
  }

  add(
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
  ): void {
    const at = this.#next(offset);
    this.#spellings[at / RANGES] = keyStart < 0 ? 0 : murmur2(bytes, keyStart, keyEnd);
    const why = keyStart < 0 ? null : this.#whyNot(bytes, keyStart, keyEnd);
    this.#range(at, keyStart < 0 ? null : [bytes, keyStart, keyEnd]);
    if (why === null) return this.#range(at + 2, start < 0 ? null : [bytes, start, end]);
    this.#ranges[at + 2] = this.#out.length;
    refuse(this.#out, why);
    this.#ranges[at + 3] = this.#out.length;
  }

  visit(take: TakeDecoded): void {
    const bytes = this.#out.bytes.subarray(0, this.#out.length);
    const ranges = this.#ranges;
    for (let record = 0; record < this.#count; record += 1) {
      const at = record * RANGES;
      take(
        this.#offsets[record]!,
        bytes,
        ranges[at]!,
        ranges[at + 1]!,
        ranges[at + 2]!,
        ranges[at + 3]!,
        this.#spellings[record]!,
      );
    }
  }

  /**
   * Returns why the record is refused: it is in the wrong partition, or its key has a different
   * schema than earlier keys, so that the same key may have had different bytes before. Null if
   * neither is true, or if the place's `partitions` is 0.
   */
  #whyNot(bytes: Buffer, from: number, to: number): string | null {
    const { partition, partitions } = this.#place;
    if (partitions === 0) return null;
    if (partitions > 1 && partitionOf(bytes, from, to, partitions) !== partition)
      return 'in a different partition than its key belongs to';
    if (to - from < HEADER_BYTES) return null;
    const id = bytes.readUInt32BE(from + 1);
    this.keySchema ??= id;
    return id === this.keySchema
      ? null
      : `its key has schema ${id} and earlier keys have schema ${this.keySchema}, so the topic may have a row under two keys, even in two partitions`;
  }

  #next(offset: number): number {
    const record = this.#count;
    this.#count += 1;
    if (record === this.#offsets.length) {
      const [ranges, offsets, spellings] = [this.#ranges, this.#offsets, this.#spellings];
      this.#ranges = new Int32Array(ranges.length * 2);
      this.#ranges.set(ranges);
      this.#offsets = new Float64Array(offsets.length * 2);
      this.#offsets.set(offsets);
      this.#spellings = new Int32Array(spellings.length * 2);
      this.#spellings.set(spellings);
    }
    this.#offsets[record] = offset;
    return record * RANGES;
  }

  #range(at: number, part: readonly [Buffer, number, number] | null): void {
    this.#ranges[at] = part === null ? NONE : this.#out.length;
    if (part !== null) this.#rewrite(...part);
    this.#ranges[at + 1] = part === null ? NONE : this.#out.length;
  }

  #rewrite(bytes: Buffer, from: number, to: number): void {
    const out = this.#out;
    const start = out.length;
    try {
      if (bytes[from] !== MAGIC || to - from < HEADER_BYTES)
        throw new Undecodable(
          `not ${this.#format.record} of a schema registry, because it does not begin with a zero byte and a schema id`,
        );
      const id = bytes.readUInt32BE(from + 1);
      const rewrite = this.#schemas.get(id);
      if (rewrite === undefined) return void this.wanted.add(id);
      if (rewrite instanceof Undecodable) throw rewrite;
      rewrite(bytes, from + HEADER_BYTES, to, out);
    } catch (error) {
      // A RangeError comes from a value that is nested too deeply for the stack.
      if (!(error instanceof Undecodable || error instanceof RangeError)) throw error;
      out.length = start;
      refuse(out, error.message);
    }
  }
}

/** Writes a text that no JSON reader accepts. */
function refuse(out: JsonOutput, why: string): void {
  out.ascii('!');
  out.text(why);
}

const noSchema = (id: number): Undecodable =>
  new Undecodable(`schema ${id} is not in the schema registry`);

function compiled({ compile }: WireFormat, schema: string): RewriteValue | Undecodable {
  try {
    return compile(schema);
  } catch (error) {
    if (error instanceof Undecodable) return error;
    return new Undecodable(`its schema cannot be used: ${(error as Error).message}`);
  }
}
