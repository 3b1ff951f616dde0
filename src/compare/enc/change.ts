// A table's change events as numbers: what a fold needs of each, in rows of a typed array that can be handed from one thread to another. PURE.
import { Undecodable } from '../column-types.js';
import type { Shape } from '../comparison.js';
import { EnvelopeScanner } from './envelope.js';
import { RowEncoder } from './row.js';

/** Words of one change: kind, four of the key, two of the row's hash, two of the transaction. */
export const CHANGE_WORDS = 9;
export const KIND = { snapshot: 0, upsert: 1, delete: 2, unreadable: 3 } as const;
const TWO_32 = 4294967296;

export class Changes {
  words = new Int32Array(CHANGE_WORDS * 1024);
  count = 0;

  reset(): void {
    this.count = 0;
  }

  push(kind: number, key: Int32Array, row: Int32Array, txId: number): void {
    const at = this.count * CHANGE_WORDS;
    if (at + CHANGE_WORDS > this.words.length) {
      const grown = new Int32Array(this.words.length * 2);
      grown.set(this.words);
      this.words = grown;
    }
    const { words } = this;
    words[at] = kind;
    words[at + 1] = key[0]!;
    words[at + 2] = key[1]!;
    words[at + 3] = key[2]!;
    words[at + 4] = key[3]!;
    words[at + 5] = row[0]!;
    words[at + 6] = row[1]!;
    words[at + 7] = Math.floor(txId / TWO_32);
    words[at + 8] = txId | 0;
    this.count += 1;
  }
}

/** The transaction of the change whose words begin at `at`. */
export const txIdAt = (words: Int32Array, at: number): number => words[at + 7]! * TWO_32 + (words[at + 8]! >>> 0);

export class ChangeEncoder {
  readonly encoder: RowEncoder;
  readonly #scanner: EnvelopeScanner;

  constructor(shape: Shape) {
    this.#scanner = new EnvelopeScanner(shape);
    this.encoder = new RowEncoder(shape);
  }

  /** Adds what a record's value, `[start, end)` of `bytes`, says. A tombstone says nothing that the delete event before it did not, with its transaction. */
  encode(bytes: Buffer, start: number, end: number, out: Changes): void {
    if (start < 0) return;
    const scanner = this.#scanner;
    const { encoder } = this;
    try {
      scanner.scan(bytes, start, end);
      encoder.keyFromJson(bytes, scanner);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return out.push(KIND.unreadable, encoder.key, encoder.row, 0);
    }
    if (scanner.op === 'd') return out.push(KIND.delete, encoder.key, encoder.row, scanner.txId);
    encoder.rowFromJson(bytes, scanner);
    out.push(scanner.op === 'r' ? KIND.snapshot : KIND.upsert, encoder.key, encoder.row, scanner.txId);
  }
}

export const isUnreadable = (error: unknown): boolean => error instanceof Undecodable || error instanceof SyntaxError;
