// What a file of tests on real parts needs: a worker of its own, databases of its tests' own, a writer. All gone at its end.
import type pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { sleepUntil } from './builders.js';
import { TestWorker, freshDatabase } from './sluice.js';

type Database = Awaited<ReturnType<typeof freshDatabase>>;

export interface Live {
  readonly worker: TestWorker;
  readonly aDatabase: (setup: string) => Promise<Database>;
}

export function live(): Live {
  const worker = new TestWorker();
  const made: Database[] = [];
  beforeAll(() => worker.start());
  afterAll(async () => {
    await worker.kill('SIGTERM');
    for (const database of made) await database.drop();
  });
  return {
    worker,
    aDatabase: async (setup) => {
      const database = await freshDatabase(setup);
      made.push(database);
      return database;
    },
  };
}

/** Table `accounts` with `rows` rows: exact decimals, NULLs. */
export const accounts = (rows = 5000): string => `CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, note text);
INSERT INTO accounts SELECT g, g * 1.10, CASE WHEN g % 3 = 0 THEN NULL ELSE 'n' || g END FROM generate_series(1, ${rows}) g;`;

/** Keeps writing to `accounts` until stopped: updates, deletes and inserts of hot and cold rows, each in one transaction. */
export function busy({ client }: Database): () => Promise<void> {
  let stopping = false;
  const writing = (async () => {
    for (let n = 0; !stopping; n += 1) {
      const id = 1 + (n % 50);
      await client.query(`BEGIN; UPDATE accounts SET balance = balance + 0.01 WHERE id = ${id}; DELETE FROM accounts WHERE id = ${2000 + (n % 100)};
        INSERT INTO accounts VALUES (${2000 + (n % 100)}, ${n}, 'again') ON CONFLICT DO NOTHING; COMMIT`);
    }
  })();
  return async () => {
    stopping = true;
    await writing;
  };
}

/** Slots and publications of this database. */
export const objects = async (client: pg.Client): Promise<object[]> =>
  (
    await client.query<object>(
      `SELECT slot_name AS n FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`,
    )
  ).rows;

/** Ends what a migrated run handed over: its connector, then the slot that holds the database. */
export async function dismantle(client: pg.Client, name: string): Promise<void> {
  await fetch(`${process.env['CONNECT_URL']}/connectors/${name}`, { method: 'DELETE' });
  const slot = `sluice_${name.replaceAll('-', '_')}`;
  const idle = async () => (await client.query('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [slot])).rows.length === 1;
  await sleepUntil('the slot is idle', idle);
  await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
}
