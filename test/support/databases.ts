// Creates databases that only one test file uses, on the Postgres server that all tests share.
import pg from 'pg';
import { postgresTls } from './access.js';
import { sleepUntil } from './builders.js';
import { otherDatabase } from './workers.js';

/** The SQLSTATE of `DROP DATABASE` while something uses the database. */
const IN_USE = '55006';

let databases = 0;

/** Creates a database and runs the SQL `setup` in it. The returned `drop` removes the database. */
export async function freshDatabase(
  setup: string,
): Promise<{ name: string; client: pg.Client; drop: () => Promise<void> }> {
  databases += 1;
  const name = `t${process.pid}_${databases}`;
  await withDatabase('postgres', (admin) => admin.query(`CREATE DATABASE ${name}`));
  const client = new pg.Client({ database: name });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(setup);
  return {
    name,
    client,
    drop: async () => {
      await client.end();
      await withDatabase('postgres', async (admin) => {
        // A failed test may leave a slot that a connector still reads. The slot would prevent the
        // drop, and that error would hide the test's failure. So the reader is ended, and the slot
        // dropped.
        const dropped = async (): Promise<boolean> => {
          await admin.query(
            'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active',
            [name],
          );
          await admin.query(
            'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1 AND NOT active',
            [name],
          );
          return admin.query(`DROP DATABASE ${name} WITH (FORCE)`).then(
            () => true,
            (error: unknown) => {
              // a session that was just ended may still hold its slot
              if ((error as { code?: string }).code === IN_USE) return false;
              throw error;
            },
          );
        };
        await sleepUntil(`${name} is dropped`, dropped);
      });
    },
  };
}

export async function withDatabase<T>(
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Returns the version of the test stack's server, such as 170010. */
export const serverVersion = (): Promise<number> =>
  withDatabase('postgres', async (client) => {
    const { rows } = await client.query<{ version: string }>(
      `SELECT current_setting('server_version_num') AS version`,
    );
    return Number(rows[0]!.version);
  });

/** Returns the fields with which a spec names a database on the test stack's server. */
export const testPostgres = (database: string): object => ({
  host: process.env['PGHOST'],
  port: Number(process.env['PGPORT']),
  database,
  user: process.env['PGUSER'],
  passwordFrom: { env: 'PGPASSWORD' },
  ...postgresTls(),
});

/** Returns the URL of a database on the test stack's server. */
export const urlOf = (database: string): string =>
  otherDatabase(process.env['SLUICE_LEDGER_URL']!, database);
