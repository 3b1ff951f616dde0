// Collects what a witness (a temporary replication slot) saw: the changed keys of each table, and
// how many rows each transaction inserted and deleted. After the first problem, such as a TRUNCATE
// or a change without its key, the witness cannot be used, and all further messages are ignored.
import { MOST_WITNESSED } from '../../domain/evidence/witness.js';
import { isVisible, type SnapshotVisibility } from '../../domain/values/position.js';
import type { LoggedRelation, LogMessage, Tuple } from './pgoutput.js';

/** A compared table, and the one column that is its key. */
export interface WitnessedTable {
  readonly table: string;
  readonly key: string;
  /** The oids of the relations that store the table's rows: the table itself and its partitions. */
  readonly oids: readonly number[];
}

interface Known {
  readonly table: string;
  readonly description: string;
  readonly keyAt: number;
}

/** How many rows were inserted into a table, and how many deleted, between two snapshots. */
export interface RowChange {
  readonly inserted: number;
  readonly deleted: number;
}

export class WitnessLog {
  readonly #tables = new Map<number, WitnessedTable>();
  readonly #known = new Map<number, Known>();
  /** The changed keys of each table, each with the last transaction that changed it. */
  readonly #changed = new Map<string, Map<string, number>>();
  /**
   * The transactions that inserted or deleted rows of each table, each with the number of these
   * rows.
   */
  readonly #counts = new Map<string, Map<number, { inserted: number; deleted: number }>>();
  readonly #markers = new Set<string>();
  #txId: number | null = null;
  #size = 0;
  #problem: string | null = null;

  constructor(tables: readonly WitnessedTable[]) {
    for (const table of tables) {
      for (const oid of table.oids) this.#tables.set(oid, table);
      this.#changed.set(table.table, new Map());
      this.#counts.set(table.table, new Map());
    }
  }

  /** The first reason why the witness cannot be used. Null if the witness can be used. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Records that the witness cannot be used. Keeps only the first reason. */
  fail(reason: string): void {
    this.#problem ??= reason;
  }

  /** Returns whether the marker with this content has arrived. */
  hasSeen(marker: string): boolean {
    return this.#markers.has(marker);
  }

  /** Returns the text of each changed key. */
  changedIn(table: string): Iterable<string> {
    return this.#changed.get(table)?.keys() ?? [];
  }

  /**
   * Counts the rows that were inserted and deleted by transactions that `after` sees and `before`
   * does not see.
   */
  rowChange(table: string, before: SnapshotVisibility, after: SnapshotVisibility): RowChange {
    const sum = { inserted: 0, deleted: 0 };
    for (const [txId, { inserted, deleted }] of this.#counts.get(table) ?? []) {
      if (isVisible(txId, before) || !isVisible(txId, after)) continue;
      sum.inserted += inserted;
      sum.deleted += deleted;
    }
    return sum;
  }

  /**
   * Forgets the changes that the snapshot `proven` sees, because a window has compared them. The
   * changes of a key arrive in the order in which they became visible. So if the snapshot sees the
   * last change of a key, it sees all of them.
   */
  forget(proven: SnapshotVisibility): void {
    this.#markers.clear();
    for (const changed of this.#changed.values())
      this.#size -= removed(changed, (_key, txId) => isVisible(txId, proven));
    for (const counts of this.#counts.values())
      this.#size -= removed(counts, (txId) => isVisible(txId, proven));
  }

  /** Takes the next message of the slot. */
  add(message: LogMessage): void {
    if (this.#problem !== null) return;
    switch (message.kind) {
      case 'begin':
        this.#txId = message.txId;
        return;
      case 'commit':
        this.#txId = null;
        return;
      case 'marker':
        this.#markers.add(message.content);
        return;
      case 'relation':
        return this.#describe(message.relation);
      case 'truncate': {
        const table = message.oids.map((oid) => this.#tables.get(oid)).find(Boolean);
        return table && this.fail(`${table.table} was truncated`);
      }
      case 'insert':
        return this.#row(message.oid, [message.row], 'inserted');
      case 'delete':
        return this.#row(message.oid, [message.old], 'deleted');
      case 'update':
        return this.#row(message.oid, message.old ? [message.old, message.row] : [message.row]);
      case 'other':
    }
  }

  #describe({ oid, identity, columns }: LoggedRelation): void {
    const table = this.#tables.get(oid);
    if (!table) return;
    const description = JSON.stringify([identity, columns]);
    const known = this.#known.get(oid);
    if (known && known.description !== description)
      return this.fail(`the definition of ${table.table} changed`);
    const keyAt = columns.findIndex((column) => column.name === table.key);
    // The replica identity may be an index other than the primary key. An update that changes only
    // the key then does not log the old key.
    const isNamed =
      identity === 'f' ||
      (identity === 'd' &&
        columns.every(({ isIdentity }, at) => isIdentity === (at === keyAt)) &&
        keyAt >= 0);
    if (keyAt < 0 || !isNamed)
      return this.fail(`the replica identity of ${table.table} does not name the key ${table.key}`);
    this.#known.set(oid, { table: table.table, description, keyAt });
  }

  #row(oid: number, rows: readonly Tuple[], count?: 'inserted' | 'deleted'): void {
    if (!this.#tables.has(oid)) return;
    const known = this.#known.get(oid);
    if (!known || this.#txId === null)
      return this.fail(`a change of relation ${oid} came without its description or transaction`);
    const { table, keyAt } = known;
    const changed = this.#changed.get(table)!;
    const before = changed.size;
    for (const row of rows) {
      const key = row[keyAt];
      if (typeof key !== 'string') return this.fail(`a change of ${table} does not name its key`);
      changed.set(key, this.#txId);
    }
    this.#size += changed.size - before;
    if (count) this.#count(table, this.#txId, count);
    if (this.#size > MOST_WITNESSED)
      this.fail(`more than ${MOST_WITNESSED} changes since the full pass`);
  }

  #count(table: string, txId: number, kind: 'inserted' | 'deleted'): void {
    const counts = this.#counts.get(table)!;
    let of = counts.get(txId);
    if (!of) {
      of = { inserted: 0, deleted: 0 };
      counts.set(txId, of);
      this.#size += 1;
    }
    of[kind] += 1;
  }
}

/** Removes the entries for which `isRemoved` returns true. Returns their number. */
function removed<K, V>(entries: Map<K, V>, isRemoved: (key: K, value: V) => boolean): number {
  const before = entries.size;
  for (const [key, value] of entries) if (isRemoved(key, value)) entries.delete(key);
  return before - entries.size;
}
