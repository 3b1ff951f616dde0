// Makes the rows that the scenarios `jdbc-source` and `snapshot` load: a three-way join, and a
// table with the join's result.
import pg from 'pg';
import { int32At } from '../src/domain/values/bytes.js';

export const DATABASE = 'sluice_bench_jdbc';
export const QUERY = `SELECT o.id, o.total, o.placed, o.note, c.name AS customer, s.city, c.active
FROM orders o JOIN customers c ON c.id = o.customer_id JOIN stores s ON s.id = o.store_id`;
/** The columns of the joined rows. */
export const COLUMNS = [
  ['id', 'int8'],
  ['total', 'numeric'],
  ['placed', 'timestamptz'],
  ['note', 'text'],
  ['customer', 'text'],
  ['city', 'text'],
  ['active', 'bool'],
].map(([name, type]) => ({ name: name!, type: type! }));

const seed = (rows: number, run: string): string => `
CREATE TABLE stores (id int PRIMARY KEY, city text); INSERT INTO stores SELECT g, 'city ' || g FROM generate_series(0, 99) g;
CREATE TABLE customers (id int PRIMARY KEY, name text, active boolean); INSERT INTO customers SELECT g, 'customer ' || g, g % 7 > 0 FROM generate_series(0, 49999) g;
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, store_id int, total numeric(12,2), placed timestamptz, note text);
INSERT INTO orders SELECT g, g % 50000, g % 100, g * 0.01, timestamptz '2026-01-01' + g * interval '1 second', CASE WHEN g % 3 > 0 THEN 'note of order ' || g END FROM generate_series(1, ${rows}) g;
CREATE TABLE joined AS ${QUERY}; ALTER TABLE joined ADD PRIMARY KEY (id); ANALYZE;
CREATE PUBLICATION sluice_bench_debezium_${run} FOR TABLE joined;`;

/** Makes a database with the rows, runs `use`, and drops the database. */
export async function withJoinedRows(
  rows: number,
  use: (client: pg.Client, run: string) => Promise<void>,
): Promise<void> {
  // Names of connectors contain `run`, which differs each time. So no connector continues from the
  // offsets of an earlier run that was interrupted.
  const run = Date.now().toString(36);
  const admin = new pg.Client({ database: 'postgres' });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  const client = new pg.Client({ database: DATABASE });
  await client.connect();
  try {
    await client.query(seed(rows, run));
    await use(client, run);
  } finally {
    await client.end();
    await admin.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${DATABASE}' AND NOT active`,
    );
    await admin.query(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
    await admin.end();
  }
}

/** Returns the end of the COPY BINARY row that begins at position `at`. */
export function skipRow(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let field = 0; field < COLUMNS.length; field += 1)
    end += 4 + Math.max(0, int32At(bytes, end));
  return end;
}

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = Date.now();
  await run();
  return Date.now() - started;
}

export const say = (what: string, rows: number, ms: number): void =>
  console.log(
    `${what}: ${(ms / 1000).toFixed(1)} s, ${Math.round(rows / (ms / 1000)).toLocaleString('en')} rows/s`,
  );
