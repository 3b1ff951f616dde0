// Finds the changes that an initial load in chunks overwrote. Debezium may read a chunk without a
// change that it has already written to the topic. The first chunk is read while another thread
// writes changes. Also, a commit can be in the WAL before any other session sees it. The record of
// the chunk (`op` is r) then has an older row, but comes after the change. After the load, such a
// record is the last of its key. If it was newer than the change, a later change would follow it.
import { hash128 } from './enc/hash.js';
import { walkObject } from './enc/json-scan.js';
import { keyText } from './enc/key-table.js';
import { Scratch } from './enc/scratch.js';
import { Undecodable } from './undecodable.js';

/** The changes of one row. */
interface Changed {
  /** The offsets of the row's changes, in the order of the topic. */
  readonly offsets: number[];
  /** The digest of the row after the last change. Null if that row is unknown. */
  after: string | null;
  /** True if the load wrote a different row after the last change. */
  isOverwritten: boolean;
}

/** Receives the records of one partition, in their order. It keeps only keys that were changed. */
export class OverwrittenChanges {
  readonly #keys = new Map<string, Changed>();

  /**
   * Receives a record with key and value as JSON. A null value is a tombstone. Records without a
   * key are ignored.
   */
  add(offset: number, key: Buffer | null, value: Buffer | null): void {
    if (key === null) return;
    const name = key.toString('latin1');
    const known = this.#keys.get(name);
    const { op, after } = envelopeOf(value);
    if (op === 'r') {
      if (known) known.isOverwritten = known.after === null || known.after !== digest(after);
      return;
    }
    const changed = known ?? { offsets: [], after: null, isOverwritten: false };
    changed.offsets.push(offset);
    changed.after = digest(after);
    changed.isOverwritten = false;
    if (!known) this.#keys.set(name, changed);
  }

  /**
   * Returns, for each overwritten key, the offsets of its changes. All of them must be repeated,
   * because a change omits the TOAST values that it did not set.
   */
  get overwritten(): readonly (readonly number[])[] {
    return [...this.#keys.values()].filter((key) => key.isOverwritten).map((key) => key.offsets);
  }
}

interface Envelope {
  /** Undefined for a tombstone, and for a value that cannot be read. */
  readonly op: string | undefined;
  /** The JSON of the row after the change, `null` if the row is deleted. Null if unknown. */
  readonly after: Buffer | null;
}

const GONE = Buffer.from('null');

function envelopeOf(value: Buffer | null): Envelope {
  if (value === null) return { op: undefined, after: GONE };
  let op: string | undefined;
  let after: Buffer | null = null;
  try {
    walkObject(value, 0, value.length, (name, start, end) => {
      if (name === 'op') op = value.toString('latin1', start + 1, end - 1);
      else if (name === 'after') after = value.subarray(start, end);
    });
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    return { op: undefined, after: null }; // the windows report this record
  }
  return { op, after };
}

const scratch = new Scratch();
const hash = new Int32Array(4);

function digest(json: Buffer | null): string | null {
  if (json === null) return null;
  scratch.reset();
  scratch.sized(json, 0, json.length);
  hash128(scratch, 0, hash);
  return keyText(hash);
}
