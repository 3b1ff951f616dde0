// Reads the pipeline's output topic and keeps a hash of the latest row of each key (a fold). It
// works like OutputFold. But instead of each row, it keeps the hash of the row and the place of its
// record.
import type { Shape } from './row-comparison.js';
import { KeyTable } from './enc/key-table.js';
import { spellingOf } from '../domain/values/partition.js';
import { RowEncoder } from './enc/row.js';
import type { RawRow } from './examine-suspects.js';
import { FoldProgress, type CanonValues } from './fold.js';
import { ROW, firstWord, kindOf, placeOf, secondWord, type RowKind } from './output-note.js';
import { OutputReader, type OutputRecord } from './output-reader.js';
import { REFUSED, whyRefused } from './refused.js';
import type { Suspect } from './result-comparison.js';
import { KeyTableMemory } from './key-table-memory.js';

const kindOfRow = (row: CanonValues | null): RowKind => {
  if (row === null) return ROW.deleted;
  if (row.values !== null) return ROW.decoded;
  return row.why?.class === 'type' ? ROW.wrongType : ROW.undecodable;
};

/**
 * Receives the key of a record and the hash of its row, in two words. Also receives the first
 * two words of the key's note (output-note.ts), and the hash of the key's bytes. The key's array is
 * used again for the next record.
 */
export type TakeRecord = (
  key: Int32Array,
  high: number,
  low: number,
  first: number,
  second: number,
  spelling: number,
) => void;

/** The keys of a topic. A key is in at most one of the two tables. */
export interface OutputKeys {
  /** The keys that have a row. */
  readonly table: KeyTable;
  /** The partition of each deleted key. Null if the topic has one partition. */
  readonly deleted: KeyTable | null;
}

/**
 * Applies a record to the rows of a topic. Returns why the record is refused, or null. A record is
 * refused if its key has a row or a tombstone in a different partition. It is also refused if the
 * bytes of its key differ from the key's bytes in the record of the current row.
 */
export function applyRecord(
  { table, deleted }: OutputKeys,
  memory: KeyTableMemory,
  ...[key, high, low, first, second, spelling]: Parameters<TakeRecord>
): number | null {
  const { partition } = placeOf(first, second);
  const known = table.find(key);
  const gone = known < 0 && deleted ? deleted.find(key) : -1;
  const home = known >= 0 ? placeOf(table.note(known, 0), 0).partition : partition;
  if (home !== partition) return REFUSED.scattered;
  if (known >= 0 && table.note(known, 2) !== spelling) return REFUSED.respelled;
  if (gone >= 0 && deleted!.rowOf(gone)[0] !== partition) return REFUSED.scattered;
  if (kindOf(first) === ROW.deleted) {
    table.delete(key);
    if (deleted) memory.set(deleted, key, partition, 0);
    return null;
  }
  if (gone >= 0) deleted!.delete(key);
  table.setNote(memory.set(table, key, high, low), first, second, spelling);
  return null;
}

const UNLIMITED = new KeyTableMemory(Infinity);

export class OutputHashes extends FoldProgress {
  readonly shape: Shape;
  readonly encoder: RowEncoder;
  /**
   * The hash of each key's last row. output-note.ts defines the first two words of a key's note.
   * The third word is the hash of the key's bytes.
   */
  readonly table: KeyTable;
  readonly #deleted: KeyTable;
  #memory = UNLIMITED;
  readonly #reader: OutputReader;
  readonly #take: TakeRecord | null;

  /**
   * Creates an empty fold. If `take` is given, records go there and the table stays empty. `image`
   * has the same meaning as in `OutputReader`.
   */
  constructor(shape: Shape, { take = null, image = null }: HashesOptions = {}) {
    super();
    this.shape = shape;
    this.encoder = new RowEncoder(shape, { hashesKey: true });
    this.table = new KeyTable(this.encoder.keyWords, 0, true);
    this.#deleted = new KeyTable(this.encoder.keyWords, 0);
    this.#reader = new OutputReader(shape, image);
    this.#take = take;
  }

  /** The size of the key tables, in bytes. */
  get bytes(): number {
    return this.table.bytes + this.#deleted.bytes;
  }

  /** Sets the memory that this window may use. */
  limitTo(memory: KeyTableMemory): void {
    this.#memory = memory;
    for (const table of [this.table, this.#deleted]) memory.hold(table);
  }

  /**
   * Takes one record. The records of a partition MUST come in the order of their offsets. Returns
   * the identity of the record's key, which is valid until the next call. Returns null if the
   * record is refused. `spelling` has the same meaning as in `OutputFold`. Throws Outgrown if the
   * keys no longer fit into the memory.
   */
  add(
    key: Buffer | null,
    value: Buffer | null,
    offset: number,
    spelling = spellingOf(key),
  ): Int32Array | null {
    const { encoder } = this;
    const { partition, partitions } = this.place;
    const at = { partition, offset };
    const refuse = (why: number): null => {
      const text = { key: key?.toString('utf8') ?? null, value: value?.toString('utf8') ?? null };
      this.refuse({ ...at, why, ...text });
      return null;
    };
    if (key === null) return refuse(REFUSED.noKey);
    let row: CanonValues | null;
    try {
      const record = this.#reader.read(key, value);
      row = record.row;
      encoder.keyFromCanon(record.key);
    } catch (error) {
      return refuse(whyRefused(error));
    }
    encoder.rowFromCanon(row?.values ?? null);
    const [high, low] = [encoder.row[0]!, encoder.row[1]!];
    const [first, second] = [firstWord(at, kindOfRow(row)), secondWord(at)];
    const applied = [encoder.key, high, low, first, second, spelling] as const;
    if (this.#take) this.#take(...applied);
    else {
      const keys = { table: this.table, deleted: partitions === 1 ? null : this.#deleted };
      const why = applyRecord(keys, this.#memory, ...applied);
      if (why !== null) return refuse(why);
    }
    return encoder.key;
  }

  /**
   * Decodes a record that was read before. Returns null if this is not the record from which the
   * suspect's key and hash were read.
   */
  reread(key: Buffer, value: Buffer | null, suspect: Suspect): RawRow | null {
    const { encoder } = this;
    let record: OutputRecord;
    try {
      record = this.#reader.read(key, value);
    } catch {
      return null;
    }
    if (record.row === null) return null;
    encoder.keyFromCanon(record.key);
    encoder.rowFromCanon(record.row.values);
    const [high, low] = suspect.hash;
    const isSame =
      encoder.keyText === suspect.key && encoder.row[0] === high && encoder.row[1] === low;
    return isSame ? { key: record.key, ...record.row } : null;
  }
}

interface HashesOptions {
  readonly take?: TakeRecord | null;
  readonly image?: string | null;
}
