// Starts the Postgres server of the local stack, which has the source databases and the ledger. Its
// `wal_level` is `logical`. It has one superuser, and clients log in with a password over loopback.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { majorOf, postgresBinaries } from '../fetch-postgres.js';
import type { Say } from '../make-once.js';
import { reachableDir, type StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { securedOf, type Secured } from '../secure.js';

export const PG_USER = 'sluice';
export const PG_PASSWORD = 'sluice-local';
export const LEDGER_DATABASE = 'sluice_ledger';

/**
 * Options for tests. Some tests need settings that do not suit Sluice, such as another `walLevel`.
 * Others need an installed server (`bin`) that has more extensions.
 */
export interface OtherPostgres {
  readonly walLevel?: 'logical' | 'replica';
  readonly bin?: string;
  readonly settings?: readonly string[];
}

/**
 * Starts the server. Returns when it answers with the wanted `walLevel` and has the ledger's
 * database.
 */
export async function startPostgres(
  home: StackHome,
  say: Say,
  other: OtherPostgres = {},
): Promise<void> {
  const { walLevel = 'logical', settings = [] } = other;
  const secured = securedOf(home);
  if (alive(home, 'postgres') === undefined) {
    const data = reachableDir(home, 'pg');
    const bin = other.bin ?? (await postgresBinaries(say, majorOf(data)));
    const owner = unprivilegedOwner();
    initialize(bin, data, owner);
    if (secured) requireTls(data, secured, owner);
    launch(home, {
      name: 'postgres',
      command: join(bin, 'postgres'),
      args: [
        '-D',
        data,
        '-p',
        String(home.ports.postgres),
        '-h',
        '127.0.0.1',
        '-k',
        '',
        ...[
          ...SETTINGS,
          ...settings,
          ...(secured ? ['ssl=on'] : []),
          `wal_level=${walLevel}`,
        ].flatMap((s) => ['-c', s]),
      ],
      stopSignal: 'SIGINT', // fast shutdown: do not wait for clients
      ...owner,
    });
  }
  await untilReady(
    home,
    'postgres',
    async () => (await ask(home, 'postgres', 'SHOW wal_level'))[0]?.['wal_level'] === walLevel,
  );
  const exists = await ask(
    home,
    'postgres',
    `SELECT 1 FROM pg_database WHERE datname = '${LEDGER_DATABASE}'`,
  );
  if (exists.length === 0) await ask(home, 'postgres', `CREATE DATABASE ${LEDGER_DATABASE}`);
}

// fsync is off, because the data of this stack need not survive a power failure. A kill -9 loses
// nothing.
const SETTINGS = [
  'max_replication_slots=30',
  'max_wal_senders=30',
  'max_connections=200',
  'fsync=off',
  'full_page_writes=off',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'log_min_messages=warning',
  'track_commit_timestamp=off',
  'max_prepared_transactions=10',
];

/** Runs one query on the stack's server as its superuser. Returns rows as plain objects. */
export async function ask(
  home: StackHome,
  database: string,
  sql: string,
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: home.ports.postgres,
    user: PG_USER,
    password: PG_PASSWORD,
    database,
    connectionTimeoutMillis: 3000,
    ...tlsOf(home),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function tlsOf(home: StackHome): { ssl?: { ca: string } } {
  const secured = securedOf(home);
  return secured ? { ssl: { ca: readFileSync(secured.ca, 'utf8') } } : {};
}

type Owner = ReturnType<typeof unprivilegedOwner>;

/** Gives the server its certificate, and refuses connections without TLS. */
function requireTls(data: string, { folder }: Secured, { uid, gid }: Owner): void {
  for (const ending of ['crt', 'key']) {
    const file = join(data, `server.${ending}`);
    copyFileSync(join(folder, `postgres.${ending}`), file);
    chmodSync(file, 0o600);
    if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
  }
  const access = ['all', 'replication'].map(
    (what) => `hostssl ${what} all 127.0.0.1/32 scram-sha-256`,
  );
  writeFileSync(join(data, 'pg_hba.conf'), `${access.join('\n')}\n`);
}

function initialize(bin: string, data: string, owner: { uid?: number; gid?: number }): void {
  if (existsSync(join(data, 'PG_VERSION')) && existsSync(join(data, 'sluice-initialised'))) return;
  // removes the incomplete data directory of a first start that was killed
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(data, owner.uid, owner.gid);
  const secret = `${data}.pw`;
  writeFileSync(secret, PG_PASSWORD, { mode: 0o644 });
  try {
    execFileSync(
      join(bin, 'initdb'),
      [
        '-D',
        data,
        '-U',
        PG_USER,
        '--auth=scram-sha-256',
        `--pwfile=${secret}`,
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ],
      {
        stdio: 'pipe',
        ...owner,
      },
    );
  } finally {
    rmSync(secret, { force: true });
  }
  writeFileSync(join(data, 'sluice-initialised'), '');
}

/**
 * Returns the user that runs Postgres if this process runs as root, because Postgres refuses root.
 * Returns `postgres` if that user exists. Otherwise, returns `nobody`. If this process does not run
 * as root, it runs Postgres itself, so the result is empty.
 */
function unprivilegedOwner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' }).trim());
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  return { uid: statSync('/').uid };
}
