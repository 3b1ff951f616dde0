// Limits the memory of the key tables of one comparison. Tables that would exceed this limit are
// compared in parts instead.
import type { KeyTable } from './enc/key-table.js';

/** Thrown if the key tables do not fit in the memory that this window may use. */
export class Outgrown extends Error {}

export class KeyTableMemory {
  readonly #bytes: number;
  readonly #tables = new Set<KeyTable>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Counts the memory of a key table that exists already. */
  hold(table: KeyTable): void {
    if (this.#bytes < Infinity) this.#tables.add(table);
  }

  /**
   * Sets a key in one of the comparison's key tables. Throws Outgrown, and sets nothing, if the key
   * tables would then exceed the limit.
   */
  set(table: KeyTable, key: Int32Array, high: number, low: number): number {
    if (table.isFull) this.#reserve(table);
    return table.set(key, high, low);
  }

  #reserve(grows: KeyTable): void {
    this.hold(grows);
    let bytes = grows.bytes; // the table doubles
    for (const table of this.#tables) bytes += table.bytes;
    if (bytes > this.#bytes) throw new Outgrown();
  }
}
