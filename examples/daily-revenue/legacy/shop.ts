// Creates the legacy side of the example: database, seed data and the batch procedure.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { clientOf } from './client.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

export interface ShopSize {
  readonly orders: number;
  readonly seed: number;
}

const connect = async (database: string): Promise<pg.Client> => {
  const client = clientOf({ database });
  await client.connect();
  return client;
};

/** The owner of tables, batch and view, and the reader of the view. Both log in with PGPASSWORD. */
export const OWNER = 'shop_owner';
export const CONSUMER = 'dash';

/** Returns SQL that creates a login unless it exists. It may run twice at the same time. */
const createRole = (role: string, password: string): string => `
DO $$ BEGIN CREATE ROLE ${role} LOGIN PASSWORD '${password}'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`;

/**
 * Runs the output of `sluice init --sql`, and gives the new logins the passwords that worker and
 * Connect use.
 */
export async function grantRoles(database: string, sql: string): Promise<void> {
  const admin = await connect(database);
  await admin.query(sql);
  await admin.query(
    `ALTER ROLE shop_migrator PASSWORD '${process.env['SLUICE_SECRET_SHOP']}'; ALTER ROLE shop_capture PASSWORD '${process.env['SLUICE_SECRET_CAPTURE']}'`,
  );
  await admin.end();
}

const LOGIN = 'user: shop_migrator, passwordFrom: { env: SLUICE_SECRET_SHOP }';
const CONNECTOR_LOGIN = /(?:\n {4}#.*)*\n {4}config: \{ database\.user: .*/;

/** Returns the spec with one superuser instead of the separate roles. */
export function asOneRole(yaml: string): string {
  if (!yaml.includes(LOGIN) || !CONNECTOR_LOGIN.test(yaml))
    throw new Error('the spec does not have the logins that this test replaces');
  return yaml
    .replace(LOGIN, 'user: sluice, passwordFrom: { env: PGPASSWORD }')
    .replace(CONNECTOR_LOGIN, '');
}

/**
 * Drops the database, and creates it again with the given number of orders. The same seed gives the
 * same data, except that all times are relative to the current time.
 */
export async function createShop(database: string, { orders, seed }: ShopSize): Promise<void> {
  const admin = await connect('postgres');
  await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
  for (const role of [OWNER, CONSUMER])
    await admin.query(createRole(role, process.env['PGPASSWORD'] ?? ''));
  await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${OWNER}`);
  await admin.end();
  const shop = await connect(database);
  await shop.query(`SET ROLE ${OWNER}`);
  await shop.query(readFileSync(join(HERE, 'schema.sql'), 'utf8'));
  await shop.query(`GRANT SELECT ON daily_revenue TO ${CONSUMER}`);
  const query = readFileSync(join(HERE, '../daily_revenue.sql'), 'utf8').trim();
  await shop.query(batchProcedure(query));
  for (const statement of seedStatements(orders, seed)) await shop.query(statement);
  await shop.query('CALL run_daily_revenue()');
  await shop.end();
}

/**
 * Returns the SQL of the batch's procedure. It first commits its entry in the run log, so that an
 * active run is visible. A second transaction rebuilds the result and sets `finished_at` of the
 * entry.
 */
const batchProcedure = (query: string): string => `
CREATE PROCEDURE run_daily_revenue() LANGUAGE plpgsql AS $procedure$
DECLARE run bigint;
BEGIN
  INSERT INTO batch_runs (cut_at, started_at) VALUES (clock_timestamp(), clock_timestamp()) RETURNING run_id INTO run;
  COMMIT;
  DELETE FROM daily_revenue_batch;
  INSERT INTO daily_revenue_batch (day, store_id, orders, gross, refunded, revenue)
  ${query};
  UPDATE batch_runs SET finished_at = clock_timestamp() WHERE run_id = run;
  COMMIT;
END $procedure$`;

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tokyo',
  'Australia/Sydney',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Europe/London',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Asia/Singapore',
  'America/Chicago',
  'Pacific/Auckland',
];
const DAYS = 45;

/**
 * Returns SQL for a number r with 0 ≤ r < 1. It looks random but depends only on the seed, the
 * purpose and the row.
 */
const noise = (seed: number, purpose: string, id: string): string =>
  `((hashtextextended('${seed}-${purpose}-' || ${id}, 0) & 1048575) / 1048576.0)`;

function seedStatements(orders: number, seed: number): string[] {
  const r = (purpose: string, id = 'g::text'): string => noise(seed, purpose, id);
  const stores = ZONES.map((zone, at) => `(${at + 1}, 'Store ${at + 1}', '${zone}')`).join(', ');
  return [
    `INSERT INTO stores VALUES ${stores}`,
    `INSERT INTO customers (name, email, created_at) SELECT 'Customer ' || g, CASE WHEN ${r('mail')} < 0.1 THEN NULL ELSE 'c' || g || '@example.com' END, now() - interval '400 days' FROM generate_series(1, ${Math.max(10, Math.floor(orders / 20))}) g`,
    `INSERT INTO orders (customer_id, store_id, status, ordered_at, note)
     SELECT 1 + floor(${r('customer')} * ${Math.max(10, Math.floor(orders / 20))})::int, 1 + floor(${r('store')} * ${ZONES.length})::int,
       CASE WHEN ${r('status')} < 0.06 THEN 'cancelled' WHEN ${r('status')} < 0.5 THEN 'placed' ELSE 'shipped' END,
       now() - (${orders} - g + ${r('age')}) * interval '${DAYS} days' / ${orders}, CASE WHEN ${r('note')} < 0.9 THEN NULL WHEN ${r('note')} < 0.95 THEN '' ELSE 'gift "wrapped", é' END
     FROM generate_series(1, ${orders}) g`,
    `INSERT INTO order_items (order_id, sku, quantity, unit_price, discount)
     SELECT g, 'SKU-' || floor(${r('sku', "g::text || '/' || n")} * 500)::int, 1 + floor(${r('quantity', "g::text || '/' || n")} * 4)::int, round((1 + ${r('price', "g::text || '/' || n")} * 199)::numeric, 2),
       CASE WHEN ${r('discount', "g::text || '/' || n")} < 0.6 THEN NULL ELSE round((${r('discount', "g::text || '/' || n")} * 0.9)::numeric, 2) END
     FROM generate_series(1, ${orders}) g, generate_series(1, 2) n WHERE n = 1 OR ${r('second')} < 0.3`,
    `INSERT INTO refunds (order_id, amount, refunded_at, reason)
     SELECT o.id, round((1 + ${r('refund', 'o.id::text')} * 20)::numeric, 2), least(now(), o.ordered_at + ${r('late', 'o.id::text')} * interval '9 days'), CASE WHEN ${r('why', 'o.id::text')} < 0.5 THEN NULL ELSE 'damaged' END
     FROM orders o WHERE ${r('refunded', 'o.id::text')} < 0.05`,
    'ANALYZE',
  ];
}
