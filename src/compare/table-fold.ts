// Reads a table's topic and keeps the latest row of each key (a fold). A change that the window's
// snapshot of the source does not see waits for a later snapshot. Each snapshot must be later than
// the previous snapshot.
import { isVisible, widened, type SnapshotVisibility } from '../domain/values/position.js';
import { canonFromJson } from './column-types.js';
import { Undecodable } from './undecodable.js';
import { joinRow, type Shape, type StreamRow, type WhyNot } from './row-comparison.js';
import { partitionOf } from '../domain/values/partition.js';
import { Fold, streamRow } from './fold.js';
import { LongNumber, memberOf, parseJsonLossless } from './json.js';
import { WaitingChanges, loadedRowWaits, readerOf, type WaitingChange } from './waiting-changes.js';
import { REFUSED, describeRefused, refuseWiderKey, whyRefused, type Refused } from './refused.js';

export interface Change extends WaitingChange {
  /** The position in the WAL. Null if the record has none. */
  readonly lsn: number | string | null;
  readonly key: string;
  /** The row. Null means deleted. */
  readonly row: StreamRow | null;
}

interface Envelope {
  readonly op?: string;
  readonly before?: Record<string, unknown> | null;
  readonly after?: Record<string, unknown> | null;
  readonly source?: { readonly txId?: unknown; readonly lsn?: unknown };
}

// Refuses bytes that are not UTF-8, because a replacement character could equal a real one. Keeps a
// byte order mark, so that the JSON parser refuses the record.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function transactionOf(txId: unknown): number {
  if (typeof txId === 'number' && Number.isSafeInteger(txId)) return txId;
  throw new Undecodable('no source.txId');
}

const positionOf = (lsn: unknown): number | string | null =>
  lsn instanceof LongNumber ? lsn.text : typeof lsn === 'number' ? lsn : null;

const whyNot = (refused: Refused): WhyNot => ({
  class: 'undecodable',
  column: null,
  found: describeRefused(refused),
});

/** Thrown for a record that can be read but must be refused. */
class Refusal extends Error {
  readonly why: number;

  constructor(why: number) {
    super();
    this.why = why;
  }
}

export class TableFold extends Fold {
  readonly #shape: Shape;
  readonly #waiting = new WaitingChanges<Change>();

  readonly #losesRefused: boolean;

  /**
   * Creates an empty fold. With `losesRefused`, a key whose last record is refused has no readable
   * row. Otherwise the key keeps its earlier row.
   */
  constructor(shape: Shape, { losesRefused = false }: { losesRefused?: boolean } = {}) {
    super();
    this.#shape = shape;
    this.#losesRefused = losesRefused;
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
    for (const change of this.#waiting.takeAll()) this.#apply(change, snapshot);
  }

  /**
   * Takes one record, in offset order of its partition. Its key and value are ranges of `bytes`.
   * Returns its change, or null if the record is refused.
   */
  add(
    offset: number,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    snapshot: SnapshotVisibility,
  ): Change | null {
    const { partition } = this.place;
    let key: string | undefined;
    try {
      if (keyStart < 0) throw new Refusal(REFUSED.noKey);
      const fields = parseJsonLossless(UTF8.decode(bytes.subarray(keyStart, keyEnd)));
      refuseWiderKey(fields, this.#shape);
      key = this.#keyOf(fields);
      const { change, loadedBy } =
        start < 0
          ? { change: { txId: null, lsn: null, key, row: null }, loadedBy: null }
          : this.#decode(bytes.subarray(start, end));
      if (this.#isMisplaced(bytes, keyStart, keyEnd)) throw new Refusal(REFUSED.misplaced);
      if (change.key !== key) throw new Refusal(REFUSED.foreignKey);
      if (start < 0) this.#bury(change);
      else if (loadedBy !== null) this.#load(change, loadedBy, snapshot);
      else this.#apply(change, snapshot);
      return change;
    } catch (error) {
      const text = (from: number, to: number): string | null =>
        from < 0 ? null : bytes.toString('utf8', from, to);
      const why = error instanceof Refusal ? error.why : whyRefused(error);
      const refused = {
        partition,
        offset,
        why,
        key: text(keyStart, keyEnd),
        value: text(start, end),
      };
      this.refuse(refused);
      if (this.#losesRefused && key !== undefined)
        this.rows.set(key, { row: null, why: whyNot(refused), mark: 0 });
      return null;
    }
  }

  /** Adds a row that is given as a JSON object, and not as a change event. */
  addImage(image: string): void {
    try {
      const fields = parseJsonLossless(image) as Record<string, unknown>;
      this.rows.set(this.#keyOf(fields), this.#row(fields));
    } catch {
      this.unreadable += 1;
    }
  }

  #isMisplaced(bytes: Buffer, keyStart: number, keyEnd: number): boolean {
    const { partition, partitions } = this.place;
    return partitions > 1 && partitionOf(bytes, keyStart, keyEnd, partitions) !== partition;
  }

  #apply(change: Change, snapshot: SnapshotVisibility): void {
    const { txId } = change;
    if (txId !== null && !isVisible(txId, snapshot))
      this.#wait({ ...change, txId: widened(txId, snapshot) });
    else if (change.row === null) this.rows.delete(change.key);
    else this.rows.set(change.key, change.row);
  }

  /**
   * Takes a row that a connector's snapshot read in the transaction `loadedBy`, which is 0 if it is
   * not known.
   */
  #load(change: Change, loadedBy: number, snapshot: SnapshotVisibility): void {
    const earlier = this.#waiting.lastOf(change.key);
    const txId = loadedRowWaits(loadedBy, earlier, snapshot);
    if (txId === undefined) this.#apply(change, snapshot);
    else this.#wait({ ...change, txId });
  }

  /**
   * Applies a tombstone as `HashFold` does: the tombstone deletes the row, unless the last waiting
   * change of the key is a delete. That change then deletes the row itself.
   */
  #bury({ key }: Change): void {
    const last = this.#waiting.lastOf(key);
    if (last && last.row === null) return;
    this.rows.delete(key);
    if (last) this.#wait({ ...last, row: null });
  }

  #wait(change: Change): void {
    this.#waiting.add(change.key, change);
  }

  #decode(value: Buffer): { change: Change; loadedBy: number | null } {
    const envelope = parseJsonLossless(UTF8.decode(value)) as Envelope;
    const { op, source } = envelope;
    const isDelete = op === 'd';
    const image = isDelete ? envelope.before : envelope.after;
    if (!image || !(op === 'r' || op === 'c' || op === 'u' || isDelete))
      throw new Undecodable(`operation ${op} without a row`);
    const loadedBy = op === 'r' ? readerOf(source?.txId) : null;
    const txId = loadedBy === null ? transactionOf(source?.txId) : null;
    const row = isDelete ? null : this.#row(image);
    return {
      change: { txId, lsn: positionOf(source?.lsn), key: this.#keyOf(image), row },
      loadedBy,
    };
  }

  #keyOf(fields: unknown): string {
    if (fields === null || typeof fields !== 'object') throw new Undecodable('expected an object');
    const values = fields as Record<string, unknown>;
    const key = this.#shape.key.map((name) =>
      canonFromJson(this.#typeOf(name), memberOf(values, name)),
    );
    if (key.includes(null)) throw new Undecodable('a key is never NULL');
    return joinRow(key);
  }

  #row(image: Record<string, unknown>): StreamRow {
    return streamRow(
      this.#shape,
      ({ type, name }) => canonFromJson(type, memberOf(image, name)),
      (name) => memberOf(image, name),
    );
  }

  #typeOf(name: string): string {
    return this.#shape.columns.find((column) => column.name === name)!.type;
  }
}
