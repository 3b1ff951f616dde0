// Creates an instance of the WebAssembly kernel (assembly/) for a shape. The kernel encodes and
// hashes many records or rows in one call. A shape with a type that the kernel does not know gets
// no instance.
import type { Shape } from '../row-comparison.js';
import { floatPowers } from './float-powers.js';
import { KERNEL } from './wasm.js';

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface Exports {
  readonly memory: Memory;
  configure(
    columns: number,
    columnCount: number,
    keys: number,
    keyCount: number,
    isIntegerKey: boolean,
    powers: number,
    scratch: number,
  ): void;
  encodeRecords(
    records: number,
    count: number,
    changes: number,
    partition: number,
    partitions: number,
  ): number;
  encodeAvroRecords(
    records: number,
    count: number,
    changes: number,
    partition: number,
    partitions: number,
    schemas: number,
    schemaCount: number,
    keySchema: number,
  ): number;
  encodeRows(rows: number, count: number, found: number): number;
  /** Returns the CRC-32C of `[from, to)` as a signed number. */
  crc32c(from: number, to: number): number;
}

/** The part of the WebAssembly API that is used here. Node's types do not declare it. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
};

/** The numbers of the types. They must equal those in assembly/column.ts. */
const TYPES: Readonly<Record<string, number>> = {
  bool: 1,
  int2: 2,
  int4: 3,
  int8: 4,
  oid: 5,
  numeric: 6,
  float4: 7,
  float8: 8,
  text: 9,
  varchar: 9,
  enum: 9,
  json: 9,
  jsonb: 10,
  bpchar: 11,
  bytea: 12,
  uuid: 13,
  date: 14,
  time: 15,
  timestamp: 16,
  timestamptz: 16,
  char: 17,
  citext: 17,
  xml: 17,
  inet: 17,
  cidr: 17,
  macaddr: 17,
  macaddr8: 17,
  int4range: 17,
  int8range: 17,
  numrange: 17,
  daterange: 17,
  tsrange: 17,
  ltree: 17,
  tsvector: 17,
  // assembly/column.ts encodes no value of type 18, and leaves its row to the reference
  tstzrange: 18,
  bit: 18,
  hstore: 18,
  money: 18,
  point: 18,
  line: 18,
  lseg: 18,
  box: 18,
  path: 18,
  polygon: 18,
  circle: 18,
  geometry: 18,
  geography: 18,
};

const PAGE = 1 << 16;
const FIRST_FREE = 1 << 15; // the module's own data lies below
const COLUMN_BYTES = 24;
/** assembly/layout.ts leaves longer records and rows to the reference. */
const MOST_BYTES = 1 << 18;
/**
 * Room for the tag of a column and the widest value of fixed width. Any other value needs less room
 * than this in addition to its own bytes.
 */
const MOST_PER_COLUMN = 24;
/** Room after each region, because the kernel reads and writes up to 16 bytes past its data. */
const SLACK = 64;

let compiled: object | undefined;

export class Kernel {
  readonly exports: Exports;
  #free = FIRST_FREE;
  #buffer: ArrayBufferLike;

  private constructor(shape: Shape, isIntegerKey: boolean) {
    compiled ??= new WebAssembly.Module(Buffer.from(KERNEL, 'base64'));
    this.exports = new WebAssembly.Instance(compiled).exports as Exports;
    this.#buffer = this.exports.memory.buffer;
    const { columns, key } = shape;
    const names = columns.map(({ name }) => Buffer.from(`${JSON.stringify(name)}:`));
    const atColumns = this.reserve(columns.length * COLUMN_BYTES);
    columns.forEach(({ type }, at) => {
      const atName = this.reserve(names[at]!.length);
      this.bytes.set(names[at]!, atName);
      this.words(atColumns + at * COLUMN_BYTES, 3).set([TYPES[type]!, atName, names[at]!.length]);
    });
    const atKeys = this.reserve(key.length * 4);
    const keyColumns = key.map((name) => columns.findIndex((column) => column.name === name));
    this.words(atKeys, key.length).set(keyColumns);
    const powers = this.reserve(floatPowers().length);
    this.bytes.set(floatPowers(), powers);
    const scratch = this.reserve(MOST_BYTES + columns.length * MOST_PER_COLUMN);
    this.exports.configure(
      atColumns,
      columns.length,
      atKeys,
      key.length,
      isIntegerKey,
      powers,
      scratch,
    );
  }

  /**
   * Returns the shape's kernel. Null if the kernel does not know one of the shape's types, or if
   * the machine is not little-endian.
   */
  static of(shape: Shape, isIntegerKey: boolean): Kernel | null {
    const knowsAll = shape.columns.every(({ type }) => Object.hasOwn(TYPES, type));
    return knowsAll && isLittleEndian ? new Kernel(shape, isIntegerKey) : null;
  }

  /** The whole memory, as a view that is valid until the next `reserve`. */
  get bytes(): Buffer {
    return Buffer.from(this.exports.memory.buffer);
  }

  /** Returns whether the bytes lie in the memory, where the kernel reads them without a copy. */
  has(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#buffer;
  }

  /** Returns 32-bit words of the memory, which are valid until the next `reserve`. */
  words(at: number, count: number): Int32Array {
    return new Int32Array(this.exports.memory.buffer, at, count);
  }

  /** Returns the beginning of a new region of `size` bytes, which is never freed. */
  reserve(size: number): number {
    const at = this.#free;
    this.#free = (at + size + SLACK + 15) & ~15;
    const missing = this.#free - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / PAGE));
    this.#buffer = this.exports.memory.buffer;
    return at;
  }
}

/**
 * The typed arrays above have the machine's byte order, and WebAssembly is always little-endian.
 */
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
