// Maps the keys of a topic to the hashes of their rows. A comparison looks up the key of each
// expected row from Postgres. The key table is a hash table with open addressing and linear
// probing, in typed arrays. A slot takes 17 bytes for integer keys, and there is no object for each
// row. A deletion shifts the following slots back, so that no deleted slots accumulate.

const MOST_LOAD = 0.75;
const EMPTY = 0;
const PRESENT = 1;
const LAST_MARK = 255;
const NOTE_WORDS = 3;

export class KeyTable {
  size = 0;
  readonly #words: 2 | 4;
  #mask: number;
  #keys: Int32Array;
  #rows: Int32Array;
  /**
   * The state of each slot. 0 means empty, and 1 means present. A larger number is the number of
   * the last pass that found the key among the expected rows.
   */
  #marks: Uint8Array;
  /** Three extra words for each slot. Null if the table was created without notes. */
  #notes: Int32Array | null;
  #mark = PRESENT;

  /**
   * Creates a table that holds `expected` keys without growing. With `hasNotes`, each key has three
   * extra words for the caller.
   */
  constructor(words: 2 | 4, expected = 1024, hasNotes = false) {
    let capacity = 1024;
    while (capacity * MOST_LOAD < expected) capacity *= 2;
    this.#words = words;
    this.#mask = capacity - 1;
    this.#keys = new Int32Array(capacity * words);
    this.#rows = new Int32Array(capacity * 2);
    this.#marks = new Uint8Array(capacity);
    this.#notes = hasNotes ? new Int32Array(capacity * NOTE_WORDS) : null;
  }

  get bytes(): number {
    const notes = this.#notes?.byteLength ?? 0;
    return this.#keys.byteLength + this.#rows.byteLength + this.#marks.byteLength + notes;
  }

  /** True if the next new key makes the table double its size. */
  get isFull(): boolean {
    return (this.size + 1) / (this.#mask + 1) > MOST_LOAD;
  }

  /** Returns a word of the slot's note, or 0 if the table has no notes. */
  note(slot: number, word: 0 | 1 | 2): number {
    return this.#notes?.[slot * NOTE_WORDS + word] ?? 0;
  }

  setNote(slot: number, first: number, second: number, third: number): void {
    if (!this.#notes) return;
    this.#notes[slot * NOTE_WORDS] = first;
    this.#notes[slot * NOTE_WORDS + 1] = second;
    this.#notes[slot * NOTE_WORDS + 2] = third;
  }

  /**
   * Sets the row's hash for a key. Returns the key's slot, which is valid until the next change.
   */
  set(key: Int32Array, high: number, low: number): number {
    let slot = this.find(key);
    if (slot < 0) {
      if (this.isFull) this.#grow();
      slot = this.#free(key);
      for (let word = 0; word < this.#words; word += 1)
        this.#keys[slot * this.#words + word] = key[word]!;
      this.#marks[slot] = PRESENT;
      this.size += 1;
    }
    this.#rows[slot * 2] = high;
    this.#rows[slot * 2 + 1] = low;
    return slot;
  }

  delete(key: Int32Array): boolean {
    let hole = this.find(key);
    if (hole < 0) return false;
    this.size -= 1;
    for (let at = (hole + 1) & this.#mask; this.#marks[at] !== EMPTY; at = (at + 1) & this.#mask) {
      const home = this.#home(this.#keys[at * this.#words]!, this.#keys[at * this.#words + 1]!);
      // an entry must stay at or after the slot that its hash selects
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#keys.copyWithin(hole * this.#words, at * this.#words, (at + 1) * this.#words);
      this.#rows.copyWithin(hole * 2, at * 2, at * 2 + 2);
      this.#notes?.copyWithin(hole * NOTE_WORDS, at * NOTE_WORDS, (at + 1) * NOTE_WORDS);
      this.#marks[hole] = this.#marks[at]!;
      hole = at;
    }
    this.#marks[hole] = EMPTY;
    return true;
  }

  /** Returns the slot of the key, or -1. The slot is valid until the next change. */
  find(key: Int32Array): number {
    const keys = this.#keys;
    const words = this.#words;
    const k0 = key[0]!;
    const k1 = key[1]!;
    for (
      let slot = this.#home(k0, k1);
      this.#marks[slot] !== EMPTY;
      slot = (slot + 1) & this.#mask
    ) {
      const at = slot * words;
      if (
        keys[at] === k0 &&
        keys[at + 1] === k1 &&
        (words === 2 || (keys[at + 2] === key[2] && keys[at + 3] === key[3]))
      )
        return slot;
    }
    return -1;
  }

  rowEquals(slot: number, high: number, low: number): boolean {
    return this.#rows[slot * 2] === high && this.#rows[slot * 2 + 1] === low;
  }

  /** Returns the hash of the slot's row. */
  rowOf(slot: number): [high: number, low: number] {
    return [this.#rows[slot * 2]!, this.#rows[slot * 2 + 1]!];
  }

  isUndecodable(slot: number): boolean {
    return this.rowEquals(slot, 0, 0);
  }

  /**
   * Returns every key with its row's hash, in no particular order. An entry has the words of the
   * key, and then two words of the hash. `fill` adds such entries to a table.
   */
  entries(): Int32Array {
    const words = this.#words;
    const all = new Int32Array(this.size * (words + 2));
    let to = 0;
    for (let slot = 0; slot <= this.#mask; slot += 1) {
      if (this.#marks[slot] === EMPTY) continue;
      for (let word = 0; word < words; word += 1) all[to++] = this.#keys[slot * words + word]!;
      all[to++] = this.#rows[slot * 2]!;
      all[to++] = this.#rows[slot * 2 + 1]!;
    }
    return all;
  }

  fill(entries: Int32Array): void {
    const step = this.#words + 2;
    for (let at = 0; at < entries.length; at += step)
      this.set(
        entries.subarray(at, at + this.#words),
        entries[at + step - 2]!,
        entries[at + step - 1]!,
      );
  }

  /** Begins a pass over the expected rows. During a pass, `mark` records the keys that it finds. */
  beginPass(): void {
    if (this.#mark === LAST_MARK) {
      for (let slot = 0; slot <= this.#mask; slot += 1)
        if (this.#marks[slot] !== EMPTY) this.#marks[slot] = PRESENT;
      this.#mark = PRESENT;
    }
    this.#mark += 1;
  }

  /**
   * Marks the key as found. Returns false if this pass has already found it. The key is then not
   * unique among the expected rows.
   */
  mark(slot: number): boolean {
    if (this.#marks[slot] === this.#mark) return false;
    this.#marks[slot] = this.#mark;
    return true;
  }

  /** Returns at most `limit` keys that this pass did not find, in the form of `keyText`. */
  unmarked(limit: number): string[] {
    const found: string[] = [];
    for (let slot = 0; slot <= this.#mask && found.length < limit; slot += 1) {
      if (this.#marks[slot] !== EMPTY && this.#marks[slot] !== this.#mark)
        found.push(keyText(this.#keys.subarray(slot * this.#words, (slot + 1) * this.#words)));
    }
    return found;
  }

  /**
   * Returns one digest of all keys and rows, independent of their order: two sums of mixed words,
   * as 16 hex digits.
   */
  digest(): string {
    let [a, b] = [0, 0];
    const words = this.#words;
    for (let slot = 0; slot <= this.#mask; slot += 1) {
      if (this.#marks[slot] === EMPTY) continue;
      let h = 0x9e3779b1;
      for (let at = slot * words; at < (slot + 1) * words; at += 1)
        h = Math.imul(h ^ this.#keys[at]!, 0x85ebca6b) ^ (h >>> 15);
      h = Math.imul(h ^ this.#rows[slot * 2]!, 0xc2b2ae35);
      a = (a + (h ^ (h >>> 16))) | 0;
      h = Math.imul((h ^ (h >>> 13)) + this.#rows[slot * 2 + 1]!, 0x27d4eb2f);
      b = (b + (h ^ (h >>> 15))) | 0;
    }
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return hex(a) + hex(b);
  }

  #home(k0: number, k1: number): number {
    let h = Math.imul(k1 ^ Math.imul(k0, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
    return (h ^ (h >>> 13)) & this.#mask;
  }

  #free(key: Int32Array): number {
    let slot = this.#home(key[0]!, key[1]!);
    while (this.#marks[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
    return slot;
  }

  #grow(): void {
    const [keys, rows, marks, notes] = [this.#keys, this.#rows, this.#marks, this.#notes];
    const words = this.#words;
    const capacity = (this.#mask + 1) * 2;
    this.#mask = capacity - 1;
    this.#keys = new Int32Array(capacity * words);
    this.#rows = new Int32Array(capacity * 2);
    this.#marks = new Uint8Array(capacity);
    this.#notes = notes && new Int32Array(capacity * NOTE_WORDS);
    for (let slot = 0; slot < marks.length; slot += 1) {
      if (marks[slot] === EMPTY) continue;
      const key = keys.subarray(slot * words, (slot + 1) * words);
      const to = this.#free(key);
      this.#keys.set(key, to * words);
      this.#rows[to * 2] = rows[slot * 2]!;
      this.#rows[to * 2 + 1] = rows[slot * 2 + 1]!;
      const note = notes?.subarray(slot * NOTE_WORDS, (slot + 1) * NOTE_WORDS);
      if (note) this.#notes!.set(note, to * NOTE_WORDS);
      this.#marks[to] = marks[slot]!;
    }
  }
}

/** Converts the words of a key to a string and back, because a Set compares arrays by identity. */
export const keyText = (key: Int32Array): string => key.join(',');
export const keyOf = (text: string): Int32Array => Int32Array.from(text.split(','), Number);
