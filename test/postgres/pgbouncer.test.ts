// Tests doctor behind a real pgbouncer, in session mode and in transaction mode.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { freePort } from '../support/free-port.js';
import { accounts } from '../support/live.js';
import { freshDatabase, sluice, specFile, testPostgres } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0;
if (!isInstalled) console.error('SKIPPED: pgbouncer is not installed (apt-get install pgbouncer)');

const cleanUps: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/**
 * Starts pgbouncer in front of the test stack's server. pgbouncer refuses to run as root, so a test
 * that runs as root starts it as a user without privileges.
 */
async function startPooler(mode: 'session' | 'transaction'): Promise<number> {
  const port = await freePort();
  const dir = temporaryFolder('sluice-pgbouncer-');
  chmodSync(dir, 0o755);
  const file = join(dir, 'pgbouncer.ini');
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD } = process.env;
  writeFileSync(
    file,
    `[databases]
* = host=${PGHOST} port=${PGPORT} user=${PGUSER} password=${PGPASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
`,
  );
  const as = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child: ChildProcess = spawn('pgbouncer', ['-q', file], { stdio: 'ignore', ...as });
  cleanUps.push(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });
  await sleepUntil(
    'pgbouncer answers',
    async () => (await ask(port, 'postgres', 'SELECT 1')) !== null,
  );
  return port;
}

async function ask(port: number, database: string, sql: string): Promise<unknown[] | null> {
  const client = new pg.Client({ port, database });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows.map(
      (row) => Object.values(row)[0],
    );
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe.skipIf(!isInstalled)('doctor behind pgbouncer', () => {
  it.each(['session', 'transaction'] as const)(
    'names the pooler in mode %s, and leaves no setting in a session of the pool',
    async (mode) => {
      const database = await freshDatabase(accounts(10));
      cleanUps.push(database.drop);
      const port = await startPooler(mode);
      const { code, stdout } = sluice(
        'doctor',
        '-o',
        'json',
        '-f',
        specFile('bounced', database.name, [], {
          source: {
            postgres: { ...testPostgres(database.name), port },
            tables: ['public.accounts'],
          },
        }),
      );
      expect(code).toBe(4); // the source was not reached
      const { checks } = JSON.parse(stdout) as { checks: Record<string, string>[] };
      expect(checks.find(({ name }) => name === 'source.reachable')).toMatchObject({
        status: 'failed',
        detail: expect.stringContaining(
          `a connection pooler answers at 127.0.0.1:${port}`,
        ) as string,
        remedy: expect.stringContaining('host and port of the server itself') as string,
      });
      expect(await ask(port, database.name, 'SHOW default_transaction_read_only')).toEqual(['off']);
    },
  );
});
