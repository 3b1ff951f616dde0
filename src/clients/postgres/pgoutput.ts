// Decodes the messages of the plugin `pgoutput` (protocol version 1, values as text), as
// `pg_logical_slot_get_binary_changes` returns them. This file only decodes. The caller reads the
// messages from its session.
import { int16At, int32At } from '../../domain/values/bytes.js';

export interface RelationColumn {
  readonly name: string;
  /** True if the column belongs to the replica identity. */
  readonly isIdentity: boolean;
  readonly type: number;
}

/**
 * The description of a relation. pgoutput sends a description before the relation's first row, and
 * again after each change of the relation's definition.
 */
export interface LoggedRelation {
  readonly oid: number;
  readonly name: string;
  /** The replica identity: `d` default, `f` full, `i` index, `n` nothing. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

/** The text of a value. It is null for NULL, and undefined for a TOAST value that was not sent. */
export type LoggedValue = string | null | undefined;
export type Tuple = readonly LoggedValue[];

export type LogMessage =
  | { readonly kind: 'begin'; readonly txId: number }
  | { readonly kind: 'commit' }
  | { readonly kind: 'relation'; readonly relation: LoggedRelation }
  | { readonly kind: 'insert'; readonly oid: number; readonly row: Tuple }
  | {
      readonly kind: 'update';
      readonly oid: number;
      /**
       * The old row, or only its identity. Null if Postgres did not send it, because the identity
       * did not change.
       */
      readonly old: Tuple | null;
      readonly row: Tuple;
    }
  | { readonly kind: 'delete'; readonly oid: number; readonly old: Tuple }
  | { readonly kind: 'truncate'; readonly oids: readonly number[] }
  | { readonly kind: 'marker'; readonly prefix: string; readonly content: string }
  /** A message about a replication origin or a type. Such a message says nothing about rows. */
  | { readonly kind: 'other' };

const TEXT = 0x74; // t
const NULL = 0x6e; // n
const UNCHANGED = 0x75; // u
const OLD_ROWS = [0x4b, 0x4f]; // K, O
const NEW_ROW = 0x4e; // N

class Reader {
  #at = 0;
  readonly #b: Buffer;
  constructor(b: Buffer) {
    this.#b = b;
  }
  u8(): number {
    return this.#take(1)[0]!;
  }
  i16(): number {
    return int16At(this.#take(2), 0);
  }
  i32(): number {
    return int32At(this.#take(4), 0);
  }
  u32(): number {
    return this.i32() >>> 0;
  }
  skip(bytes: number): void {
    this.#take(bytes);
  }
  text(bytes: number): string {
    return this.#take(bytes).toString();
  }
  cstring(): string {
    const end = this.#b.indexOf(0, this.#at);
    if (end < 0) throw new Error('a name in a message of pgoutput has no end');
    const text = this.text(end - this.#at);
    this.skip(1);
    return text;
  }
  end(): void {
    if (this.#at !== this.#b.length)
      throw new Error(
        `a message of pgoutput has ${this.#b.length} bytes, but ${this.#at} were decoded`,
      );
  }
  peek(): number {
    return this.#b[this.#at] ?? -1;
  }
  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (bytes < 0 || end > this.#b.length) throw new Error('a message of pgoutput is cut off');
    const part = this.#b.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** Decodes one message. Throws an Error if it does not follow the protocol to its last byte. */
export function decodeMessage(bytes: Buffer): LogMessage {
  const r = new Reader(bytes);
  const message = decoded(String.fromCharCode(r.u8()), r, bytes.length);
  r.end();
  return message;
}

function decoded(kind: string, r: Reader, length: number): LogMessage {
  switch (kind) {
    case 'B':
      r.skip(16); // the commit's position and time
      return { kind: 'begin', txId: r.u32() };
    case 'C':
      r.skip(25);
      return { kind: 'commit' };
    case 'R':
      return { kind: 'relation', relation: relationOf(r) };
    case 'I': {
      const oid = r.u32();
      expectTag(r, [NEW_ROW]);
      return { kind: 'insert', oid, row: tupleOf(r) };
    }
    case 'U':
      return updateOf(r);
    case 'D': {
      const oid = r.u32();
      expectTag(r, OLD_ROWS);
      return { kind: 'delete', oid, old: tupleOf(r) };
    }
    case 'T': {
      const count = r.i32();
      r.skip(1);
      return { kind: 'truncate', oids: Array.from({ length: count }, () => r.u32()) };
    }
    case 'M': {
      r.skip(9); // flags and position
      const prefix = r.cstring();
      return { kind: 'marker', prefix, content: r.text(r.i32()) };
    }
    case 'O':
    case 'Y':
      r.skip(length - 1);
      return { kind: 'other' };
    default:
      throw new Error(`pgoutput sent a message of the unknown kind ${JSON.stringify(kind)}`);
  }
}

function updateOf(r: Reader): LogMessage {
  const oid = r.u32();
  let old: Tuple | null = null;
  if (OLD_ROWS.includes(r.peek())) {
    r.skip(1);
    old = tupleOf(r);
  }
  expectTag(r, [NEW_ROW]);
  return { kind: 'update', oid, old, row: tupleOf(r) };
}

function relationOf(r: Reader): LoggedRelation {
  const oid = r.u32();
  const schema = r.cstring() || 'pg_catalog';
  const table = r.cstring();
  const identity = String.fromCharCode(r.u8());
  const columns = Array.from({ length: r.i16() }, () => {
    const isIdentity = (r.u8() & 1) === 1;
    const name = r.cstring();
    const type = r.u32();
    r.skip(4); // the type's modifier
    return { name, isIdentity, type };
  });
  return { oid, name: `${schema}.${table}`, identity, columns };
}

function tupleOf(r: Reader): Tuple {
  return Array.from({ length: r.i16() }, (): LoggedValue => {
    const kind = r.u8();
    if (kind === NULL) return null;
    if (kind === UNCHANGED) return undefined;
    if (kind === TEXT) return r.text(r.i32());
    throw new Error(`pgoutput sent a value of the unknown kind ${kind}`);
  });
}

function expectTag(r: Reader, allowed: readonly number[]): void {
  const tag = r.u8();
  if (!allowed.includes(tag)) throw new Error(`pgoutput sent a row of the unknown kind ${tag}`);
}
