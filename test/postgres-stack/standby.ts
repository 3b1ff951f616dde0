// Runs a primary and a streaming standby in addition to the test stack. Both are behind one address
// that always leads to the primary, as in a managed service.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { reachableDir, stackHome, type StackHome } from '../../stack/paths.js';
import { alive, stop } from '../../stack/processes.js';
import { PG_PASSWORD, PG_USER, startPostgres } from '../../stack/services/postgres.js';
import { sleepUntil } from '../support/builders.js';

const STANDBY_SLOT = 'standby1';
const quiet = (): void => undefined;

function homeOf(name: string, offset: number): StackHome {
  const main = stackHome();
  const dir = join(main.dir, name);
  const ports = { ...main.ports, postgres: main.ports.postgres + offset };
  return { ...main, dir, logs: join(dir, 'logs'), pids: join(dir, 'pids'), ports };
}

export async function query(
  { ports }: StackHome,
  database: string,
  sql: string,
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ port: ports.postgres, database });
  client.on('error', quiet);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Copies the files of the running primary. The SQL calls before and after `cp` make the copy
 * consistent.
 */
async function copyFiles(from: StackHome, to: StackHome): Promise<void> {
  const client = new pg.Client({ port: from.ports.postgres, database: 'postgres' });
  await client.connect();
  const target = reachableDir(to, 'pg');
  const start = 'SELECT pg_backup_start($1, true)';
  await client.query(start, ['standby']);
  execFileSync('cp', ['-a', `${reachableDir(from, 'pg')}/.`, target]);
  const { rows } = await client.query<{ labelfile: string }>('SELECT * FROM pg_backup_stop(false)');
  await client.end();
  for (const file of ['postmaster.pid', 'postmaster.opts', `pg_replslot/${STANDBY_SLOT}`])
    rmSync(join(target, file), { recursive: true, force: true });
  writeFileSync(join(target, 'backup_label'), rows[0]!.labelfile);
  writeFileSync(join(target, 'standby.signal'), '');
  execFileSync('chown', ['-R', `--reference=${join(target, 'PG_VERSION')}`, target]);
}

export interface Pair {
  /** The port of the address. It leads to the primary, and after `failOver` to the standby. */
  readonly port: number;
  readonly primary: StackHome;
  readonly standby: StackHome;
  /** Ends the primary as a crash would, promotes the standby, and lets the address lead there. */
  readonly failOver: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function openPair(): Promise<Pair> {
  const primary = homeOf('primary', 22);
  const standby = homeOf('standby', 23);
  const address = await follower(primary.ports.postgres);
  await startPostgres(primary, quiet, {
    settings: [`synchronized_standby_slots=${STANDBY_SLOT}`],
  });
  await query(
    primary,
    'postgres',
    `SELECT pg_create_physical_replication_slot('${STANDBY_SLOT}', true)`,
  );
  await copyFiles(primary, standby);
  await startPostgres(standby, quiet, {
    settings: [
      'hot_standby_feedback=on',
      'sync_replication_slots=on',
      `primary_slot_name=${STANDBY_SLOT}`,
      `primary_conninfo=host=127.0.0.1 port=${primary.ports.postgres} user=${PG_USER} password=${PG_PASSWORD} dbname=postgres`,
    ],
  });
  return {
    port: address.port,
    primary,
    standby,
    failOver: async () => {
      const pid = alive(primary, 'postgres')!;
      process.kill(pid, 'SIGQUIT');
      await sleepUntil('the primary is dead', () => alive(primary, 'postgres') === undefined);
      await query(standby, 'postgres', 'SELECT pg_promote(true, 600)');
      address.follow(standby.ports.postgres);
    },
    remove: async () => {
      address.close();
      for (const home of [standby, primary]) {
        await stop(home, 'postgres');
        rmSync(reachableDir(home, 'pg'), { recursive: true, force: true });
        rmSync(home.dir, { recursive: true, force: true });
      }
    },
  };
}

/** Listens on one port, and forwards to a port that can change. */
async function follower(
  first: number,
): Promise<{ port: number; follow: (port: number) => void; close: () => void }> {
  let target = first;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropAll = (): void => open.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    follow: (port) => {
      target = port;
      dropAll();
    },
    close: () => {
      dropAll();
      server.close();
    },
  };
}
