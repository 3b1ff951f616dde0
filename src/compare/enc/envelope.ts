// Finds a row's values in a Debezium record without parsing it: where each column's JSON value begins and ends. PURE; bytes in, positions out.
import { Undecodable } from '../column-types.js';
import type { Shape } from '../comparison.js';
import type { Fields } from './row.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const SPACE = 0x20;

export type Operation = 'r' | 'c' | 'u' | 'd';

export class EnvelopeScanner implements Fields {
  readonly start: Int32Array;
  readonly end: Int32Array;
  op: Operation = 'r';
  /** Transaction of the change; NaN when the record has none. */
  txId = Number.NaN;
  /** `"name":` of each column, as bytes: fields mostly come in the table's order. */
  readonly #names: readonly Uint8Array[];
  readonly #columnOf: ReadonlyMap<string, number>;
  readonly #parts = new Map<string, [start: number, end: number]>();

  constructor(shape: Shape) {
    this.start = new Int32Array(shape.columns.length);
    this.end = new Int32Array(shape.columns.length);
    this.#names = shape.columns.map((column) => Buffer.from(`${JSON.stringify(column.name)}:`));
    this.#columnOf = new Map(shape.columns.map((column, at) => [column.name, at]));
  }

  /** Reads one record's value; afterwards `op`, `txId` and the positions of the row that it is about. Throws Undecodable. */
  scan(b: Uint8Array): void {
    this.#parts.clear();
    this.#object(b, 0, b.length, (name, start, end) => void this.#parts.set(name, [start, end]));
    const op = this.#parts.get('op');
    if (!op || op[1] - op[0] !== 3) throw new Undecodable('no operation');
    this.op = String.fromCharCode(b[op[0] + 1]!) as Operation;
    if (!'rcud'.includes(this.op)) throw new Undecodable(`operation ${this.op} without a row`);
    const image = this.#parts.get(this.op === 'd' ? 'before' : 'after');
    if (!image || b[image[0]] !== OPEN) throw new Undecodable(`operation ${this.op} without a row`);
    this.txId = this.op === 'r' ? 0 : this.#transaction(b);
    this.#row(b, image[0], image[1]);
  }

  #transaction(b: Uint8Array): number {
    const source = this.#parts.get('source');
    let txId = Number.NaN;
    if (source && b[source[0]] === OPEN) {
      this.#object(b, source[0], source[1], (name, start, end) => {
        if (name === 'txId' && b[start]! >= 0x30 && b[start]! <= 0x39) txId = Number(latin1(b, start, end));
      });
    }
    if (Number.isNaN(txId)) throw new Undecodable('no source.txId');
    return txId;
  }

  #row(b: Uint8Array, from: number, to: number): void {
    this.start.fill(-1);
    let at = from + 1;
    let expected = 0;
    if (b[at] === CLOSE) return;
    for (;;) {
      const name = this.#names[expected];
      let column = expected;
      if (name && startsWith(b, at, name)) {
        at += name.length;
      } else {
        const end = skipValue(b, at, to);
        column = this.#columnOf.get(JSON.parse(Buffer.from(b.buffer, b.byteOffset + at, end - at).toString('utf8')) as string) ?? -1;
        at = end;
        if (b[at] !== COLON) throw new Undecodable('broken JSON');
        at += 1;
      }
      const end = skipValue(b, at, to);
      if (column >= 0) {
        this.start[column] = at;
        this.end[column] = end;
        expected = column + 1;
      }
      if (b[end] === CLOSE) return;
      if (b[end] !== COMMA) throw new Undecodable('broken JSON');
      at = end + 1;
    }
  }

  /** Calls `field` with name and value range of each member of the object that begins at `from`. */
  #object(b: Uint8Array, from: number, to: number, field: (name: string, start: number, end: number) => void): void {
    if (b[from] !== OPEN) throw new Undecodable('expected an object');
    let at = from + 1;
    if (b[at] === CLOSE) return;
    for (;;) {
      const nameEnd = skipValue(b, at, to);
      if (b[at] !== QUOTE || b[nameEnd] !== COLON) throw new Undecodable('broken JSON');
      const start = nameEnd + 1;
      const end = skipValue(b, start, to);
      field(memberName(b, at + 1, nameEnd - 1), start, end);
      if (b[end] === CLOSE) return;
      if (b[end] !== COMMA) throw new Undecodable('broken JSON');
      at = end + 1;
    }
  }
}

const MEMBERS = ['before', 'after', 'source', 'op', 'txId'];

/** One of the few names that matter, or ''. Saves a string per field of each record. */
function memberName(b: Uint8Array, start: number, end: number): string {
  for (const name of MEMBERS) {
    if (end - start !== name.length) continue;
    let at = 0;
    while (at < name.length && b[start + at] === name.charCodeAt(at)) at += 1;
    if (at === name.length) return name;
  }
  return '';
}

function startsWith(b: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i += 1) if (b[at + i] !== name[i]) return false;
  return true;
}

const latin1 = (b: Uint8Array, start: number, end: number): string => Buffer.from(b.buffer, b.byteOffset + start, end - start).toString('latin1');

/** End of the JSON value that begins at `at` (compact JSON, as Connect writes it). Throws Undecodable when it has none before `to`. */
export function skipValue(b: Uint8Array, at: number, to: number): number {
  const first = b[at]!;
  if (first === QUOTE) return skipString(b, at, to);
  if (first !== OPEN && first !== 0x5b) {
    let end = at;
    while (end < to && b[end] !== COMMA && b[end] !== CLOSE && b[end] !== 0x5d) {
      if (b[end]! <= SPACE) throw new Undecodable('unexpected space in JSON');
      end += 1;
    }
    if (end === at || end >= to) throw new Undecodable('broken JSON');
    return end;
  }
  let depth = 0;
  for (let end = at; end < to;) {
    const byte = b[end]!;
    if (byte === QUOTE) {
      end = skipString(b, end, to);
      continue;
    }
    if (byte === OPEN || byte === 0x5b) depth += 1;
    else if (byte === CLOSE || byte === 0x5d) depth -= 1;
    end += 1;
    if (depth === 0) return end;
  }
  throw new Undecodable('broken JSON');
}

function skipString(b: Uint8Array, at: number, to: number): number {
  for (let end = at + 1; end < to; end += 1) {
    const byte = b[end]!;
    if (byte === QUOTE) return end + 1;
    if (byte === BACKSLASH) end += 1;
  }
  throw new Undecodable('broken JSON');
}
