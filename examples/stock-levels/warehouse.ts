// Runs the legacy side of the example: a table of movements, and the table that a nightly batch
// fills. Usage: warehouse.ts [DATABASE]. The program drops the database and creates it again. Then
// it writes movements until it is stopped.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import pg from 'pg';

const PRODUCTS = 40;
const QUERY = readFileSync(new URL('stock_levels.sql', import.meta.url), 'utf8');
const SCHEMA = `
  CREATE TABLE movements (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, product_id int NOT NULL, quantity int NOT NULL);
  CREATE TABLE stock_levels (product_id int PRIMARY KEY, quantity bigint NOT NULL, movements bigint NOT NULL);
  INSERT INTO movements (product_id, quantity) SELECT g % ${PRODUCTS}, g % 17 - 5 FROM generate_series(1, 2000) g;`;
/** The transaction of the nightly batch. This program runs it only once, at the start. */
const NIGHT = `BEGIN; DELETE FROM stock_levels; INSERT INTO stock_levels ${QUERY}; COMMIT`;
/** These statements write a new movement, correct a movement, or delete one that was a mistake. */
const WRITES = [
  'INSERT INTO movements (product_id, quantity) VALUES ($1, $2)',
  'UPDATE movements SET quantity = $2 WHERE id = (SELECT max(id) - $1 FROM movements)',
  'DELETE FROM movements WHERE id = (SELECT max(id) - $1 - $2 FROM movements)',
];

const pick = (below: number): number => Math.floor(Math.random() * below);

/**
 * Connects with PGHOST, PGPORT, PGUSER and PGPASSWORD. The driver does not read PGSSLROOTCERT, so
 * this function passes that CA to it.
 */
async function withClient(database: string, use: (client: pg.Client) => Promise<unknown>) {
  const ca = process.env['PGSSLROOTCERT'];
  const client = new pg.Client({ database, ...(ca ? { ssl: { ca: readFileSync(ca) } } : {}) });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

/** Drops the database, creates it again with 2,000 movements, and runs the batch once. */
export async function createWarehouse(database: string): Promise<void> {
  await withClient('postgres', async (admin) => {
    await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  });
  await withClient(database, (client) => client.query(SCHEMA + NIGHT));
}

/** Runs at most ten random statements of WRITES a second until `isOver` returns true. */
export async function keepMoving(database: string, isOver: () => boolean): Promise<void> {
  await withClient(database, async (client) => {
    while (!isOver()) {
      await client.query(WRITES[pick(WRITES.length)]!, [pick(PRODUCTS), 1 + pick(9)]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const database = process.argv[2] ?? 'warehouse';
  await createWarehouse(database);
  console.log(`database ${database} is ready; writing movements until Ctrl-C`);
  await keepMoving(database, () => false);
}
