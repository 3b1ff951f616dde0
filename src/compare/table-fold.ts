// A table's topic folded to one row per key, as seen by a snapshot of the source. PURE; moves forward only.
import { isVisible, widened, type SnapshotVisibility } from '../domain/position.js';
import { Undecodable, canonFromJson } from './column-types.js';
import { joinRow, type Shape, type StreamRow } from './comparison.js';
import { Fold, streamRow } from './fold.js';
import { parseJsonLossless } from './json.js';

export interface Change {
  /** Null = a row of the initial load, which is older than every window: visible without asking. */
  readonly txId: number | null;
  /** Position in the WAL; null where the record has none. */
  readonly lsn: number | string | null;
  readonly key: string;
  /** Null = deleted. */
  readonly row: StreamRow | null;
}

interface Envelope {
  readonly op?: string;
  readonly before?: Record<string, unknown> | null;
  readonly after?: Record<string, unknown> | null;
  readonly source?: { readonly txId?: number | null; readonly lsn?: number | string | null };
}

// Refuses bytes that are no UTF-8: a replacement character could equal one that is really there.
const UTF8 = new TextDecoder('utf-8', { fatal: true });

export class TableFold extends Fold {
  readonly #shape: Shape;
  /** Changes of transactions that the last snapshot did not see: applied by a later window that does. */
  #overlay: Change[] = [];

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
  }

  /** MUST be called before the new records of a window: an older change of a key precedes a newer one. */
  applyOverlay(snapshot: SnapshotVisibility): void {
    const waiting = this.#overlay;
    this.#overlay = [];
    for (const change of waiting) this.#apply(change, snapshot);
  }

  /** One record's value, `[start, end)` of `bytes`, in offset order of its partition. Returns its change; null where there is none. */
  add(bytes: Buffer, start: number, end: number, snapshot: SnapshotVisibility): Change | null {
    if (start < 0) return null; // tombstone: the delete event before it said the same, with its transaction
    const change = this.#decode(bytes.subarray(start, end));
    if (change) this.#apply(change, snapshot);
    return change;
  }

  #apply(change: Change, snapshot: SnapshotVisibility): void {
    const { txId } = change;
    if (txId !== null && !isVisible(txId, snapshot)) {
      this.#overlay.push({ ...change, txId: widened(txId, snapshot) });
    } else if (change.row === null) this.rows.delete(change.key);
    else this.rows.set(change.key, change.row);
  }

  #decode(value: Buffer): Change | null {
    try {
      const envelope = parseJsonLossless(UTF8.decode(value)) as Envelope;
      const { op, source } = envelope;
      const isDelete = op === 'd';
      const image = isDelete ? envelope.before : envelope.after;
      if (!image || !(op === 'r' || op === 'c' || op === 'u' || isDelete)) throw new Undecodable(`operation ${op} without a row`);
      const key = joinRow(this.#shape.key.map((name) => canonFromJson(this.#typeOf(name), image[name])));
      const txId = op === 'r' ? null : source?.txId;
      if (txId !== null && !Number.isSafeInteger(txId)) throw new Undecodable('no source.txId');
      return { txId: txId as number | null, lsn: source?.lsn ?? null, key, row: isDelete ? null : this.#row(image) };
    } catch {
      this.unreadable += 1;
      return null;
    }
  }

  #row(image: Record<string, unknown>): StreamRow {
    return streamRow(
      this.#shape,
      ({ type, name }) => canonFromJson(type, image[name]),
      (name) => image[name],
    );
  }

  #typeOf(name: string): string {
    return this.#shape.columns.find((column) => column.name === name)!.type;
  }
}
