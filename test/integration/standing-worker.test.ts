// Tests a worker that is suspended, or loses its network, inside the transaction of the fence or of
// the commit. The transaction holds locks, so the database itself must end it within maxHold.
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';

const MAX_HOLD_MS = 6000;
const children = new Set<ChildProcess>();
let drill: Drill;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('standing_worker');
  await drill.client
    .query(`CREATE TABLE other (id int PRIMARY KEY, n int); INSERT INTO other VALUES (1, 0);
    CREATE TABLE shared (id int PRIMARY KEY, side text NOT NULL); INSERT INTO shared VALUES (1, 'batch'); CREATE TABLE sluice_sluice_drill.stream (LIKE shared);
    INSERT INTO ${LEASE} (migration, state, epoch) VALUES ('${drill.ref().name}', 'OPEN', 0)`);
});
afterAll(() => drill.close());
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** Returns a migration that fences the tables `other` and `source`, and has the given route. */
function aRef(route: object, sink: string): MigrationRef {
  const ref = drill.ref();
  const { source, cutover, batch, ...parts } = ref.spec.spec;
  const spec = {
    ...parts,
    source: { ...source, tables: ['public.other', 'public.source'] },
    sink: { ...parts.sink!, table: sink },
    batch: {
      ...batch!,
      result: { table: sink === 'public.shared' ? sink : batch!.result.table, key: ['id'] },
    },
    cutover: {
      ...cutover,
      fence: 'source',
      maxHold: `${MAX_HOLD_MS / 1000}s`,
      route: { ...cutover.route, ...route },
    },
  };
  return { ...ref, spec: { ...ref.spec, spec } as MigrationRef['spec'] };
}
const viewed = (): MigrationRef => aRef({}, 'public.stream_result');
const shared = (): MigrationRef =>
  aRef(
    {
      type: 'postgres-table',
      table: 'public.shared',
      batchRole: 'nobody_nightly',
      streamRole: 'nobody_stream',
    },
    'public.shared',
  );

async function inputOf(ref: MigrationRef): Promise<FenceInput> {
  attempt += 1;
  await drill.client.query(
    `UPDATE ${LEASE} SET state = 'OPEN', token = NULL, expires_at = NULL, switched_at = NULL`,
  );
  return { ref, token: `t${attempt}`, attempt, epoch: 1, evidenceId: 'ev' };
}

/**
 * Starts a worker. When the worker is ready, `prepare` runs, and then the worker begins its
 * activity. The promise resolves when the first statement that matches `pattern` has run. With
 * `stop`, the worker is suspended at this moment. With `go`, it waits for 1.5 s and then continues.
 */
async function worker(
  action: string,
  input: FenceInput,
  pattern: string,
  how: 'stop' | 'go',
  prepare: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const args = [
    '--import',
    'tsx',
    'test/support/standing-worker.ts',
    action,
    JSON.stringify(input),
    pattern,
    how,
  ];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  let said = '';
  const until = (line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => void (said.includes(`${line}\n`) && resolve());
      child.stdout.on('data', look);
      child.once('exit', () => reject(new Error(`the worker was not suspended: ${said}`)));
      look();
    });
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('ready');
  await prepare();
  child.stdin.end('begin\n');
  await until('there');
}

const fenced = (input: FenceInput) => async (): Promise<void> =>
  expect((await drill.cutover.fence(input)).refused).toBeNull();

/** Returns for how many milliseconds a statement of another session waits. */
async function waits(sql: string): Promise<number> {
  const client = new pg.Client({ database: drill.database });
  await client.connect();
  await client.query(`SET statement_timeout = ${3 * MAX_HOLD_MS}`);
  const started = performance.now();
  await client.query(sql).catch((error: unknown) => {
    // a refusal by the fence is an answer, too
    if ((error as { code?: string }).code !== '25006') throw error;
  });
  const waited = performance.now() - started;
  await client.end();
  return waited;
}

/** Starts a proxy to the database. `cut` stops all traffic and leaves the connections open. */
async function aNetwork(): Promise<{ port: number; cut: () => void; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((inner) => {
    const outer = connect(Number(process.env['PGPORT']), process.env['PGHOST']);
    sockets.push(inner, outer);
    for (const socket of [inner, outer]) socket.on('error', () => undefined);
    inner.pipe(outer);
    outer.pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port: (server.address() as { port: number }).port, cut, server };
}

describe('a worker that is suspended', () => {
  it('in the fence, delays writers no longer than maxHold', async () => {
    await worker('fence', await inputOf(viewed()), 'CREATE (OR REPLACE )?TRIGGER', 'stop');
    const waited = await waits('UPDATE other SET n = n + 1');
    expect(waited).toBeGreaterThan(500); // the suspended worker did lock the table
    expect(waited).toBeLessThan(MAX_HOLD_MS);
  });

  it.each([
    [
      'in the commit, delays no reader of the view',
      viewed,
      'CREATE OR REPLACE VIEW',
      'SELECT * FROM result',
    ],
    [
      'in the commit of a shared table, delays no writer',
      shared,
      'SHARE ROW EXCLUSIVE',
      "UPDATE shared SET side = 'x'",
    ],
  ])('%s longer than maxHold, and the row stays FENCED', async (_what, ref, pattern, statement) => {
    const input = await inputOf(ref());
    await worker('commitCutover', input, pattern, 'stop', fenced(input));
    const waited = await waits(statement);
    expect(waited).toBeGreaterThan(500);
    expect(waited).toBeLessThan(MAX_HOLD_MS);
    const { rows } = await drill.client.query<{ state: string }>(`SELECT state FROM ${LEASE}`);
    expect(rows[0]!.state).toBe('FENCED');
  });
});

describe('a network that is cut', () => {
  it.each([
    ['fence', 'CREATE (OR REPLACE )?TRIGGER', 'UPDATE other SET n = n + 1'],
    ['commitCutover', 'CREATE OR REPLACE VIEW', 'SELECT * FROM result'],
  ])(
    'in the transaction of the %s delays no session longer than maxHold',
    async (action, pattern, statement) => {
      const network = await aNetwork();
      const input = await inputOf(viewed());
      const { source, ...parts } = input.ref.spec.spec;
      const behind = {
        ...parts,
        source: { ...source, postgres: { ...source.postgres, port: network.port } },
      };
      await worker(
        action,
        { ...input, ref: { ...input.ref, spec: { ...input.ref.spec, spec: behind } } },
        pattern,
        'go',
        action === 'commitCutover' ? fenced(input) : undefined,
      );
      network.cut();
      const waited = await waits(statement);
      network.server.close();
      expect(waited).toBeGreaterThan(500);
      expect(waited).toBeLessThan(MAX_HOLD_MS);
    },
  );
});
