// `npm run bench -- scale [--rows 1000000] [--rounds 10]` migrates a table of `--rows` rows until
// the run waits for an approval. Its later windows use a witness. The benchmark measures how many
// blocks a full window reads, and how long this window takes. It measures the same for a later
// window without changes, and for later windows after 1 % of the rows changed. Then 16 writers
// begin, and the benchmark rehearses the cut-over and prints the holds. There is no batch, so the
// cut-over does not fence the tables, and a hold blocks no writer. The benchmark needs the local
// stack, and removes its objects.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { sleepUntil } from '../../test/support/builders.js';
import {
  TestWorker,
  connectorOf,
  freshDatabase,
  get,
  sluice,
  startMigration,
  waitFor,
} from '../../test/support/sluice.js';
import { percentile } from '../drill.js';
import { startWriters } from '../start-writers.js';

/**
 * The wait before statistics are read. A session of Postgres publishes its statistics at most once a
 * second.
 */
const STATISTICS_MS = 2500;
/**
 * SQL conditions that select 1 % of the rows in two ways: one range of ids, or each hundredth id.
 */
const CHANGES = {
  'one range': (rows: number) => `id <= ${rows / 100}`,
  scattered: () => 'id % 100 = 7',
};

export async function scaleBench(rows: number, rounds: number): Promise<void> {
  const name = `scale-${Date.now().toString(36)}`;
  const database = await freshDatabase(`
    CREATE TABLE moves (id bigint PRIMARY KEY, account integer NOT NULL, amount numeric(12,2), note text) WITH (fillfactor = 90);
    INSERT INTO moves SELECT g, g % 100000, (g % 1000000) / 100.0, 'move ' || g FROM generate_series(1, ${rows}) g;`);
  const { client } = database;
  await client.query('VACUUM (FREEZE, ANALYZE) moves');
  const worker = new TestWorker();
  await worker.start();
  try {
    const started = Date.now();
    startMigration(name, database.name, ['public.moves'], {
      validation: { every: '10m', passesInARow: 1, laterWindows: 'witness' },
      cutover: { maxHold: '60s' },
      connector: connectorOf({ snapshot: 'copy' }),
    });
    try {
      await waitFor(name, 'approval', '60m');
      const said = `${rows.toLocaleString('en')} rows`;
      console.log(`${said}: approval ${seconds(started)} s after the start`);
      await measureWindows(name, client, rows);
      await measureHolds(name, database.name, rows, rounds);
    } finally {
      sluice('cancel', name, '--yes');
      await waitFor(name, 'outcome=aborted', '10m');
    }
  } finally {
    await worker.kill('SIGTERM');
    await database.drop();
  }
}

const seconds = (since: number): string => ((Date.now() - since) / 1000).toFixed(1);

async function measureWindows(name: string, client: pg.Client, rows: number): Promise<void> {
  const full = await oneWindow('full window', name, client, '--full');
  await oneWindow('later window, nothing changed', name, client);
  for (const [how, where] of Object.entries(CHANGES)) {
    await client.query(`UPDATE moves SET note = 'again' WHERE ${where(rows)}`);
    await caughtUp(client);
    const blocks = await oneWindow(`later window, 1 % changed, ${how}`, name, client);
    console.log(`    ${(blocks / full).toFixed(4)} of the blocks of the full window`);
  }
}

/** Waits until the connector has confirmed all WAL that the source has written so far. */
async function caughtUp(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
  await sleepUntil('the connector has caught up', async () => {
    await client.query("SELECT pg_logical_emit_message(true, 'bench', 'x')");
    const slots = await client.query(
      `SELECT 1 FROM pg_replication_slots
       WHERE database = current_database() AND NOT temporary AND confirmed_flush_lsn >= $1`,
      [rows[0]!.lsn],
    );
    return slots.rows.length > 0;
  });
}

async function oneWindow(
  what: string,
  name: string,
  client: pg.Client,
  ...more: string[]
): Promise<number> {
  const before = await blocksRead(client);
  const started = Date.now();
  const { code, stdout, stderr } = sluice('window', name, '--by', 'bench', ...more);
  const took = seconds(started);
  const blocks = (await blocksRead(client)) - before;
  const row = (await get(name)).windows.at(-1)!;
  console.log(
    `  ${what}: ${row.verdict}, ${(row.durationMs / 1000).toFixed(1)} s with its barrier (command ${took} s), ${row.rowsRead} rows and ${blocks} blocks read`,
  );
  if (code !== 0) console.log(`    exit code ${code}: ${stdout} ${stderr}`);
  return blocks;
}

async function blocksRead(client: pg.Client): Promise<number> {
  await sleep(STATISTICS_MS);
  const { rows } = await client.query<{ blocks: string }>(
    `SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit AS blocks
     FROM pg_statio_user_tables WHERE relname = 'moves'`,
  );
  return Number(rows[0]!.blocks);
}

async function measureHolds(
  name: string,
  database: string,
  rows: number,
  rounds: number,
): Promise<void> {
  const stopWriters = startWriters(
    database,
    rows,
    'UPDATE moves SET amount = amount + 0.01 WHERE id = $1',
  );
  const holds: number[] = [];
  const refused: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ran = sluice('plan', '--rehearse', name, '--by', 'bench', '--yes', '-o', 'json');
    const answer = JSON.parse(ran.stdout || '{}') as { refused?: string; holdMs?: number };
    if (answer.refused === null) holds.push(answer.holdMs!);
    else refused.push(answer.refused ?? ran.stderr);
  }
  await stopWriters();
  console.log(
    `  ${holds.length} of ${rounds} rehearsals reached their end; hold p50 ${percentile(holds, 0.5)} ms, p99 ${percentile(holds, 0.99)} ms, max ${Math.max(...holds)} ms`,
  );
  for (const reason of new Set(refused)) console.log(`  refused: ${reason}`);
}
