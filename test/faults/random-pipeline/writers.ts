// Simulates random writers on the tables `a` and `b`: three sessions whose transactions overlap.
// Their changes become records as a connector would write them, in the order of the commits. Only
// `sendSomeEarly` adds records before their commit.
import type pg from 'pg';
import { TOAST_PLACEHOLDER } from '../../../src/domain/values/toast-placeholder.js';
import { pick } from './queries.js';

type Next = () => number;
export type Table = 'a' | 'b';
export type Row = Readonly<Record<string, string | number | boolean | null>>;

export const TABLES = `
  CREATE TABLE a (id int PRIMARY KEY, g int, t text, n bigint, d numeric(12,2), f boolean, at timestamptz);
  CREATE TABLE b (x int, y text COLLATE "C", n bigint, d numeric(12,2), f boolean, PRIMARY KEY (x, y));`;
const COLUMNS = {
  a: ['id', 'g', 't', 'n', 'd', 'f', 'at'],
  b: ['x', 'y', 'n', 'd', 'f'],
} as const;
const KEYS = { a: ['id'], b: ['x', 'y'] } as const;
const IDS = 12;

export interface Change {
  readonly table: Table;
  readonly key: string;
  /** The row after the change, with its true values, or null if the change deleted the row. */
  readonly row: Row | null;
  readonly record: { readonly key: string; readonly value: string };
}

interface Session {
  readonly client: pg.Client;
  txId: number | null;
  changes: Change[];
  /** The transaction's records are in the topic already, so it can only commit. */
  isSent: boolean;
}

const keyOf = (table: Table, row: Row): string =>
  JSON.stringify(Object.fromEntries(KEYS[table].map((name) => [name, row[name]!])));

/** Returns a random row, in the form that the statements and the records use. */
function randomRow(next: Next, table: Table, base: number): Row {
  const maybe = <T>(value: T): T | null => (next() < 0.15 ? null : value);
  const small = (): number => Math.floor(next() * 4);
  const common = {
    n: maybe(small()),
    d: maybe(`${small()}.${String(Math.floor(next() * 100)).padStart(2, '0')}`),
    f: maybe(next() < 0.5),
  };
  if (table === 'b') return { x: base + small(), y: pick(next, ['p', 'q', 'ü']), ...common };
  return {
    id: base + Math.floor(next() * IDS),
    g: maybe(base + small()),
    t: maybe(pick(next, ['x', 'y', "o'k", '\\'])),
    ...common,
    at: maybe(`2026-01-0${1 + small()}T0${small()}:00:00.000000Z`),
  };
}

export class Writers {
  readonly #next: Next;
  readonly #base: number;
  readonly #sessions: Session[];
  /** The committed rows, by table and key. */
  readonly #rows = new Map<string, { table: Table; row: Row }>();
  /** The table and key of each row that an open transaction has changed. */
  readonly #locked = new Set<string>();
  /** The changes, in the order in which the topics get their records. */
  readonly log: Change[] = [];

  constructor(next: Next, base: number, clients: readonly pg.Client[]) {
    this.#next = next;
    this.#base = base;
    this.#sessions = clients.map((client) => ({ client, txId: null, changes: [], isSent: false }));
  }

  /** Inserts the first rows. Their records are those of an initial load. */
  async load(): Promise<void> {
    const { client } = this.#sessions[0]!;
    for (let at = 0; at < 14; at += 1) {
      const table: Table = at % 2 === 0 ? 'a' : 'b';
      const row = randomRow(this.#next, table, this.#base);
      const name = `${table} ${keyOf(table, row)}`;
      if (this.#rows.has(name)) continue;
      await client.query(insertOf(table, row));
      this.#rows.set(name, { table, row });
      this.log.push(changeOf(table, row, row, { op: 'r', txId: 0 }));
    }
  }

  async steps(count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) await this.#step(pick(this.#next, this.#sessions));
  }

  /**
   * Adds the records of some open transactions to `log`, although no snapshot sees these
   * transactions yet. This also happens in production: with synchronous replication, a connector
   * can read a commit before snapshots see it.
   */
  sendSomeEarly(): void {
    for (const session of this.#sessions) {
      if (session.txId === null || session.changes.length === 0 || this.#next() < 0.5) continue;
      this.log.push(...session.changes);
      session.isSent = true;
    }
  }

  async finish(): Promise<void> {
    for (const session of this.#sessions) if (session.txId !== null) await this.#commit(session);
  }

  async #step(session: Session): Promise<void> {
    const { client } = session;
    if (session.txId === null) {
      await client.query('BEGIN');
      const { rows } = await client.query<{ id: string }>(
        'SELECT pg_current_xact_id()::text AS id',
      );
      session.txId = Number(BigInt(rows[0]!.id) % 2n ** 32n);
      return;
    }
    const chance = this.#next();
    if (session.isSent || chance < 0.3) return this.#commit(session);
    if (chance < 0.38) return this.#rollback(session);
    await this.#change(session);
  }

  async #change(session: Session): Promise<void> {
    const next = this.#next;
    const table: Table = next() < 0.6 ? 'a' : 'b';
    const wanted = randomRow(next, table, this.#base);
    const key = keyOf(table, wanted);
    const name = `${table} ${key}`;
    const isMine = session.changes.some((one) => one.table === table && one.key === key);
    if (this.#locked.has(name) && !isMine) return;
    this.#locked.add(name);
    const mine = session.changes.findLast((one) => one.table === table && one.key === key);
    const before = mine ? mine.row : (this.#rows.get(name)?.row ?? null);
    const source = { txId: session.txId! };
    const write = async (sql: string, row: Row | null, op: 'c' | 'u' | 'd'): Promise<void> => {
      await session.client.query(sql);
      session.changes.push(changeOf(table, wanted, row, { op, ...source }, before));
    };
    if (before === null) return write(insertOf(table, wanted), wanted, 'c');
    if (next() < 0.3)
      return write(`DELETE FROM ${table} WHERE ${whereOf(table, wanted)}`, null, 'd');
    const row = next() < 0.5 ? wanted : { ...before, n: wanted['n']!, d: wanted['d']! };
    const set = COLUMNS[table].map((column) => `${column} = ${literal(row[column]!)}`);
    await write(`UPDATE ${table} SET ${set.join(', ')} WHERE ${whereOf(table, row)}`, row, 'u');
  }

  async #commit(session: Session): Promise<void> {
    await session.client.query('COMMIT');
    if (!session.isSent) this.log.push(...session.changes);
    for (const { table, key, row } of session.changes) {
      if (row) this.#rows.set(`${table} ${key}`, { table, row });
      else this.#rows.delete(`${table} ${key}`);
    }
    this.#end(session);
  }

  async #rollback(session: Session): Promise<void> {
    await session.client.query('ROLLBACK');
    this.#end(session);
  }

  #end(session: Session): void {
    for (const { table, key } of session.changes) this.#locked.delete(`${table} ${key}`);
    Object.assign(session, { txId: null, changes: [], isSent: false });
  }
}

const literal = (value: Row[string]): string =>
  value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`;

export const insertOf = (table: Table, row: Row): string =>
  `INSERT INTO ${table} VALUES (${COLUMNS[table].map((name) => literal(row[name]!)).join(', ')})`;

const whereOf = (table: Table, row: Row): string =>
  KEYS[table].map((name) => `${name} = ${literal(row[name]!)}`).join(' AND ');

/**
 * Builds a change and its record. In the record of an update, a placeholder replaces each text that
 * the update did not change. Debezium does this for TOAST values.
 */
function changeOf(
  table: Table,
  keyed: Row,
  row: Row | null,
  { op, txId }: { op: 'r' | 'c' | 'u' | 'd'; txId: number },
  before: Row | null = null,
): Change {
  const isOmitted =
    table === 'a' && op === 'u' && row?.['t'] === before?.['t'] && row?.['t'] !== null;
  const after = row && isOmitted ? { ...row, t: TOAST_PLACEHOLDER } : row;
  const key = keyOf(table, keyed);
  return {
    table,
    key,
    row,
    record: { key, value: JSON.stringify({ op, after, source: { txId } }) },
  };
}
