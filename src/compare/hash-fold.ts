// Reads a table's topic and keeps a hash of the latest row of each key (a fold). A change that the
// window's snapshot of the source does not see waits for a later snapshot. This class works like
// TableFold, but keeps hashes instead of rows. Each snapshot must be later than the previous
// snapshot.
import { isVisible, widened, type SnapshotVisibility } from '../domain/values/position.js';
import type { Shape } from './row-comparison.js';
import { CHANGE_WORDS, ChangeEncoder, Changes, KIND, txIdAt } from './enc/change.js';
import { KeyTable, keyText } from './enc/key-table.js';
import type { RowEncoder } from './enc/row.js';
import { FoldProgress, type ReadPart } from './fold.js';
import { WaitingChanges, loadedRowWaits, type WaitingChange } from './waiting-changes.js';

interface Change extends WaitingChange {
  readonly key: Int32Array;
  readonly isDelete: boolean;
  readonly high: number;
  readonly low: number;
}

/** The state of a fold as plain JSON, without its key table. */
export interface FoldState {
  readonly topicId: string | null;
  readonly keySchema: number | null;
  readonly readAt: number | null;
  readonly read: readonly ReadPart[];
  readonly unreadable: number;
  readonly provenAt:
    | (Omit<SnapshotVisibility, 'inProgress'> & { readonly inProgress: readonly number[] })
    | null;
  readonly changed: readonly string[];
  readonly overlay: readonly (Omit<Change, 'key'> & { readonly key: readonly number[] })[];
}

const MOST_CHANGED = 200_000; // with more changes than this, a full pass is faster

/** The receiver of a fold's rows: a table in memory, or a store for a later comparison. */
export interface KeyedRows {
  set(key: Int32Array, high: number, low: number): unknown;
  delete(key: Int32Array): unknown;
}

export class HashFold extends FoldProgress {
  readonly shape: Shape;
  readonly encoder: RowEncoder;
  readonly table: KeyTable;
  /**
   * The snapshot at which every key was proven equal, or was marked as a suspect, or at which a
   * range scan began. A later window reads only the suspects and the changes since then. Null means
   * that it must read everything.
   */
  provenAt: SnapshotVisibility | null = null;
  readonly #changed = new Set<string>();
  /**
   * Keys that the topic changed since a window last proved all keys. Null if no window proved all
   * keys, or if too many keys changed.
   */
  #sinceProof: Set<string> | null = null;
  readonly #changes: ChangeEncoder;
  readonly #one = new Changes();
  readonly #key = new Int32Array(4);
  readonly #waiting = new WaitingChanges<Change>();
  readonly #rows: KeyedRows;

  /**
   * Creates an empty fold. Its table can hold `expected` keys without growing. If `rows` is given,
   * changes go there and the table stays empty.
   */
  constructor(shape: Shape, expected: number, rows?: KeyedRows) {
    super();
    this.shape = shape;
    this.#changes = new ChangeEncoder(shape);
    this.encoder = this.#changes.encoder;
    this.table = new KeyTable(this.encoder.keyWords, expected);
    this.#rows = rows ?? this.table;
  }

  /** Returns the suspects, and the keys that the topic changed since the snapshot `provenAt`. */
  get changed(): ReadonlySet<string> {
    return this.#changed;
  }

  /**
   * Returns whether the stream still has the row that an earlier window proved equal to the
   * source's row at that time.
   */
  wasProven(key: string): boolean {
    return this.#sinceProof !== null && !this.#sinceProof.has(key);
  }

  /**
   * Remembers that a window proved every key equal at this snapshot. Null means that the window did
   * not prove this, so the next window reads everything.
   */
  proven(snapshot: SnapshotVisibility | null): void {
    this.rememberFrom(snapshot);
    if (snapshot !== null) this.#sinceProof = new Set();
  }

  /** Remembers changed keys and suspects from now on (not with null). Proves no key. */
  rememberFrom(snapshot: SnapshotVisibility | null): void {
    this.provenAt = snapshot;
    this.#changed.clear();
  }

  /** Marks a key that is not yet proven equal. The next window compares it like a changed key. */
  suspect(key: string): void {
    this.#changed.add(key);
    if (this.#changed.size > MOST_CHANGED) this.rememberFrom(null);
  }

  /**
   * Returns the state that a later worker needs, without the table's entries. `takeBack` restores
   * the state in a new fold of the same shape.
   */
  state(): FoldState {
    const { provenAt } = this;
    return {
      topicId: this.topicId,
      keySchema: this.keySchema,
      readAt: this.readAt,
      read: this.read,
      unreadable: this.unreadable,
      provenAt: provenAt && { ...provenAt, inProgress: [...provenAt.inProgress] },
      changed: [...this.#changed],
      overlay: this.#waiting.all.map((change) => ({ ...change, key: [...change.key] })),
    };
  }

  takeBack(state: FoldState, entries: Int32Array): void {
    this.topicId = state.topicId;
    this.keySchema = state.keySchema;
    this.readAt = state.readAt;
    for (const part of state.read) this.readUpTo(part);
    this.unreadable = state.unreadable;
    this.table.fill(entries);
    for (const change of state.overlay) this.#wait({ ...change, key: Int32Array.from(change.key) });
    this.proven(
      state.provenAt && { ...state.provenAt, inProgress: new Set(state.provenAt.inProgress) },
    );
    for (const key of state.changed) this.#remember(key);
  }

  /** The number of changes of transactions that the last snapshot did not see. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Applies the waiting changes that `snapshot` sees. MUST be called before a window adds new
   * records, so that a key's older change is applied before its newer one.
   */
  applyOverlay(snapshot: SnapshotVisibility): void {
    for (const change of this.#waiting.takeAll()) {
      if (change.txId !== null && !isVisible(change.txId, snapshot)) this.#wait(change);
      else this.#apply(change.key, change.isDelete, change.high, change.low);
    }
  }

  #wait(change: Change): void {
    this.#waiting.add(this.#textOf(change.key), change);
  }

  /**
   * Applies a tombstone, which names no transaction. If a delete event of the key came before it,
   * the tombstone adds nothing, even if that event is still waiting. Otherwise it removes the key
   * from the fold, as it does for every reader of the topic.
   */
  #bury(key: Int32Array): void {
    const last = this.#waiting.lastOf(this.#textOf(key));
    if (last?.isDelete) return;
    this.#apply(key, true, 0, 0);
    if (last) this.#wait({ ...last, isDelete: true });
  }

  #apply(key: Int32Array, isDelete: boolean, high: number, low: number): void {
    if (isDelete) this.#rows.delete(key);
    else this.#rows.set(key, high, low);
    if (this.provenAt !== null || this.#sinceProof !== null) this.#remember(this.#textOf(key));
  }

  #textOf(key: Int32Array): string {
    return keyText(key.subarray(0, this.encoder.keyWords));
  }

  #remember(key: string): void {
    if (this.provenAt !== null) this.suspect(key);
    if (this.#sinceProof && this.#sinceProof.add(key).size > MOST_CHANGED) this.#sinceProof = null;
  }

  /**
   * Takes one record, in offset order of its partition. Its key and value are ranges of `bytes`.
   */
  add(
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    snapshot: SnapshotVisibility,
  ): void {
    this.#one.reset();
    this.#changes.encode(this.place, offset, bytes, keyStart, keyEnd, start, end, this.#one);
    this.addChanges(this.#one.words, this.#one.count, snapshot);
  }

  /** Takes `count` changes of `ChangeEncoder`, in offset order of their partition. */
  addChanges(words: Int32Array, count: number, snapshot: SnapshotVisibility): void {
    for (let at = 0; at < count * CHANGE_WORDS; at += CHANGE_WORDS) {
      const kind = words[at]!;
      if (kind === KIND.unreadable) {
        this.refuse({
          partition: this.place.partition,
          offset: txIdAt(words, at),
          why: words[at + 1]!,
        });
        continue;
      }
      const key = this.#key;
      for (let word = 0; word < 4; word += 1) key[word] = words[at + 1 + word]!;
      if (kind === KIND.tombstone) {
        this.#bury(key);
        continue;
      }
      const isDelete = kind === KIND.delete;
      const high = words[at + 5]!;
      const low = words[at + 6]!;
      const txId = txIdAt(words, at);
      const waitsFor = this.#waitsFor(kind, key, txId, snapshot);
      if (waitsFor === undefined) this.#apply(key, isDelete, high, low);
      else this.#wait({ txId: waitsFor, key: key.slice(), isDelete, high, low });
    }
  }

  /**
   * Returns the transaction for which this change must wait. Null means that it waits for a later
   * snapshot. Undefined if the snapshot sees the change.
   */
  #waitsFor(
    kind: number,
    key: Int32Array,
    txId: number,
    snapshot: SnapshotVisibility,
  ): number | null | undefined {
    if (kind !== KIND.snapshot)
      return isVisible(txId, snapshot) ? undefined : widened(txId, snapshot);
    const { size } = this.#waiting;
    const earlier = size > 0 ? this.#waiting.lastOf(this.#textOf(key)) : undefined;
    return loadedRowWaits(txId, earlier, snapshot);
  }
}
