// Finds the beginning and end of each column's JSON value in a Debezium record, without parsing it.
// A compact record in the order that Kafka Connect writes (before, after, source …, op) takes the
// fast path. A record whose members have any other order takes the slow path.
import { Undecodable } from '../undecodable.js';
import type { Shape } from '../row-comparison.js';
import {
  CLOSE,
  COLON,
  COMMA,
  OPEN,
  QUOTE,
  broken,
  skipValue,
  startsWith,
  textAt,
  walkObject,
} from './json-scan.js';
import type { Fields } from './row.js';

export type Operation = 'r' | 'c' | 'u' | 'd';

const BEFORE = Buffer.from('{"before":');
const AFTER = Buffer.from(',"after":');
const OP = Buffer.from('"op":"');
const TX_ID = Buffer.from('"txId":');
/** A double represents every integer of this many digits exactly. */
const MOST_DIGITS = 15;
const ZERO = 0x30;
const OPERATIONS: Readonly<Record<number, Operation>> = {
  0x72: 'r',
  0x63: 'c',
  0x75: 'u',
  0x64: 'd',
};

const lastBytes = (name: string): number => Buffer.from(name).readInt32LE(name.length - 4);
const [OF_BEFORE, OF_AFTER] = [lastBytes('before'), lastBytes('after')];
const [OF_SOURCE, OF_TX_ID] = [lastBytes('source'), lastBytes('txId')];

/**
 * Returns whether the members after the row may repeat a member of the envelope. A JSON parser
 * would use the last of the repeated members. To notice a repetition, it is enough to compare the
 * last four bytes of each name.
 */
function repeatsMember(b: Buffer, from: number, to: number): boolean {
  let [sources, ids] = [0, 0];
  for (let at = from + 4; at + 1 < to; at += 1) {
    if (b[at] !== QUOTE || b[at + 1] !== COLON) continue;
    const last = b.readInt32LE(at - 4);
    if (last === OF_BEFORE || last === OF_AFTER) return true;
    if (last === OF_SOURCE) sources += 1;
    if (last === OF_TX_ID) ids += 1;
  }
  return sources > 1 || ids > 1;
}

export class EnvelopeScanner implements Fields {
  readonly start: Int32Array;
  readonly end: Int32Array;
  op: Operation = 'r';
  /**
   * The transaction of the change. For a row of the connector's snapshot, it is the transaction of
   * that snapshot, or 0 if the record does not name it.
   */
  txId = 0;
  /** The number of members of the row or key that was read last, including unknown members. */
  members = 0;
  /** The bytes `"name":` of each column. Fields usually come in the table's order. */
  readonly #names: readonly Uint8Array[];
  readonly #columnOf: ReadonlyMap<string, number>;
  readonly #keyAt: readonly number[];

  constructor(shape: Shape) {
    this.start = new Int32Array(shape.columns.length);
    this.end = new Int32Array(shape.columns.length);
    this.#names = shape.columns.map((column) => Buffer.from(`${JSON.stringify(column.name)}:`));
    this.#columnOf = new Map(shape.columns.map((column, at) => [column.name, at]));
    this.#keyAt = shape.key.map((name) => this.#columnOf.get(name)!);
  }

  /**
   * Reads the record's value in `[from, to)`. Sets `op`, `txId`, and the places of the row's
   * values. Throws Undecodable if the value is not a change event of the table.
   */
  scan(b: Buffer, from: number, to: number): void {
    if (!startsWith(b, from, BEFORE) || b[to - 1] !== CLOSE) return this.#scanAnyOrder(b, from, to);
    const before = from + BEFORE.length;
    const beforeEnd = skipValue(b, before, to);
    if (!startsWith(b, beforeEnd, AFTER)) return this.#scanAnyOrder(b, from, to);
    const after = beforeEnd + AFTER.length;
    let rowEnd: number;
    if (b[after] === OPEN) {
      rowEnd = this.#row(b, after, to);
    } else {
      rowEnd = skipValue(b, after, to);
      if (b[before] === OPEN) this.#row(b, before, beforeEnd);
    }
    // A quote inside a JSON string is escaped. So these bytes with their colon can only be the name
    // of a member. The last "op" belongs to the envelope.
    const op = b.lastIndexOf(OP, to - OP.length);
    if (op < rowEnd || b[op + OP.length + 1] !== QUOTE || repeatsMember(b, rowEnd, to))
      return this.#scanAnyOrder(b, from, to);
    this.#setOperation(b[op + OP.length]!, b[after] === OPEN, b[before] === OPEN);
    const txId = b.indexOf(TX_ID, rowEnd);
    if (txId < 0 || txId > op) return this.#scanAnyOrder(b, from, to);
    this.#setTransaction(b, txId + TX_ID.length, to);
  }

  #setOperation(code: number, hasAfter: boolean, hasBefore: boolean): void {
    const op = OPERATIONS[code];
    if (!op || !(op === 'd' ? hasBefore && !hasAfter : hasAfter))
      throw new Undecodable(`operation ${String.fromCharCode(code)} without a row`);
    this.op = op;
    this.txId = 0;
  }

  #setTransaction(b: Buffer, at: number, to: number): void {
    let txId = 0;
    const first = at;
    for (; at < to && b[at]! >= ZERO && b[at]! <= 0x39; at += 1) txId = txId * 10 + b[at]! - ZERO;
    if (b[first] === ZERO && at > first + 1) throw broken();
    const isNumber = at > first && at - first <= MOST_DIGITS;
    if (isNumber && (b[at] === COMMA || b[at] === CLOSE)) this.txId = txId;
    else this.#setNoTransaction();
  }

  #setNoTransaction(): void {
    if (this.op !== 'r') throw new Undecodable('no source.txId');
    this.txId = 0;
  }

  #scanAnyOrder(b: Buffer, from: number, to: number): void {
    const parts = new Map<string, [start: number, end: number]>();
    walkObject(b, from, to, (name, start, end) => void parts.set(name, [start, end]));
    const isObject = (name: string): boolean => b[parts.get(name)?.[0] ?? -1] === OPEN;
    const op = parts.get('op');
    if (!op || op[1] - op[0] !== 3) throw new Undecodable('no operation');
    this.#setOperation(b[op[0] + 1]!, isObject('after'), isObject('before'));
    const image = parts.get(this.op === 'd' ? 'before' : 'after')!;
    this.#row(b, image[0], image[1]);
    let txId = -1;
    if (isObject('source'))
      walkObject(
        b,
        ...parts.get('source')!,
        (name, start) => void (txId = name === 'txId' ? start : txId),
      );
    if (txId < 0) this.#setNoTransaction();
    else this.#setTransaction(b, txId, to);
  }

  /**
   * Reads a bare object of columns, such as a record's key. `start` and `end` then hold the places
   * of its values. Throws Undecodable if there is no such object.
   */
  scanObject(b: Buffer, from: number, to: number): void {
    if (b[from] !== OPEN) throw broken();
    this.#row(b, from, to);
  }

  /**
   * Returns whether `[from, to)` contains the key of the last scanned row in exactly the bytes that
   * a connector writes.
   */
  isKeyOfRow(b: Uint8Array, from: number, to: number): boolean {
    let at = from;
    let before = OPEN;
    for (const column of this.#keyAt) {
      if (b[at] !== before || !startsWith(b, at + 1, this.#names[column]!)) return false;
      at += 1 + this.#names[column]!.length;
      const end = this.end[column]!;
      for (let value = this.start[column]!; value < end; value += 1, at += 1)
        if (b[at] !== b[value]) return false;
      before = COMMA;
    }
    return at + 1 === to && b[at] === CLOSE;
  }

  /** Finds the places of the columns' values in an object. Returns the end of the object. */
  #row(b: Buffer, from: number, to: number): number {
    const { start, end } = this;
    start.fill(-1);
    let at = from + 1;
    let expected = 0;
    this.members = 0;
    if (b[at] === CLOSE) return at + 1;
    while (at < to) {
      this.members += 1;
      const name = this.#names[expected];
      let column = expected;
      if (name !== undefined && startsWith(b, at, name)) {
        at += name.length;
      } else {
        const nameEnd = skipValue(b, at, to);
        if (b[nameEnd] !== COLON) throw broken();
        column = this.#columnOf.get(JSON.parse(textAt(b, at, nameEnd)) as string) ?? -1;
        at = nameEnd + 1;
      }
      const valueEnd = skipValue(b, at, to);
      if (valueEnd >= to) throw broken();
      if (column >= 0) {
        start[column] = at;
        end[column] = valueEnd;
        expected = column + 1;
      }
      if (b[valueEnd] === CLOSE) return valueEnd + 1;
      if (b[valueEnd] !== COMMA) throw broken();
      at = valueEnd + 1;
    }
    throw broken();
  }
}
