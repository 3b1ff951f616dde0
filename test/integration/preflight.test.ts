// Tests doctor with servers, roles and tables that are not ready. Doctor must name each problem and
// its remedy, must not exit with code 0, and must create nothing.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { startPostgres } from '../../stack/services/postgres.js';
import { hidingProxy } from '../support/hiding-proxy.js';
import { accounts, objects } from '../support/live.js';
import {
  freshDatabase,
  sluice,
  sluiceBeside,
  specFile,
  testPostgres,
  withDatabase,
  type Ran,
} from '../support/sluice.js';

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy?: string;
}

interface Examined {
  readonly code: number | null;
  readonly findings: ReadonlyMap<string, Finding>;
  readonly passed: ReadonlyMap<string, Finding>;
}

const doctor = (file: string): Examined => examine(sluice('doctor', '-f', file, '-o', 'json'));

/** Runs doctor without blocking this process, which runs the proxy that doctor connects to. */
const doctorBeside = async (file: string): Promise<Examined> =>
  examine(await sluiceBeside('doctor', '-f', file, '-o', 'json'));

function examine({ code, stdout }: Pick<Ran, 'code' | 'stdout'>): Examined {
  const { checks } = JSON.parse(stdout) as { checks: Finding[] };
  const byName = (isWanted: (check: Finding) => boolean): Map<string, Finding> =>
    new Map(checks.filter(isWanted).map((check) => [check.name, check]));
  return {
    code,
    findings: byName(({ status }) => status !== 'passed'),
    passed: byName(({ status }) => status === 'passed'),
  };
}

const cleanUps: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const sourceOf = (more: object, database: string) => ({
  source: {
    postgres: { ...testPostgres(database), ...more },
    tables: ['public.accounts'],
  },
});

let specOfOther: string | undefined;

/**
 * Starts a server whose wal_level is not logical and whose only slot is taken. Returns a spec for
 * it. The stack's own server is not used, because other test files need its slots.
 */
async function otherServer(): Promise<string> {
  if (specOfOther !== undefined) return specOfOther;
  const main = stackHome();
  const home: StackHome = {
    ...main,
    dir: join(main.dir, 'replica'),
    logs: join(main.dir, 'replica/logs'),
    pids: join(main.dir, 'replica/pids'),
    ports: { ...main.ports, postgres: main.ports.postgres + 20 },
  };
  const settings = ['max_replication_slots=1'];
  await startPostgres(home, () => undefined, { walLevel: 'replica', settings });
  cleanUps.push(async () => {
    await stop(home, 'postgres');
    rmSync(home.dir, { recursive: true, force: true });
  });
  const client = new pg.Client({ port: home.ports.postgres, database: 'postgres' });
  await client.connect();
  await client.query(accounts(10));
  await client.query("SELECT pg_create_physical_replication_slot('filler')");
  await client.end();
  const source = sourceOf({ port: home.ports.postgres }, 'postgres');
  specOfOther = specFile('other-server', 'postgres', ['public.accounts'], source);
  return specOfOther;
}

describe('doctor', () => {
  it('names each of the four privileges that the role lacks, with its remedy', async () => {
    const database = await freshDatabase(
      `${accounts(10)} CREATE ROLE poor LOGIN PASSWORD 'sluice-local'`,
    );
    cleanUps.push(
      () => withDatabase('postgres', async (c) => void (await c.query('DROP ROLE poor'))),
      database.drop,
    );
    const { code, findings } = doctor(
      specFile(
        'poor',
        database.name,
        ['public.accounts'],
        sourceOf({ user: 'poor' }, database.name),
      ),
    );
    expect(code).toBe(1);
    for (const name of ['source.replication', 'source.create', 'table.owner', 'table.select']) {
      expect(findings.get(name), name).toMatchObject({ status: 'failed' });
      expect(findings.get(name)!.remedy, name).not.toBe('');
    }
    expect(await objects(database.client)).toEqual([]);
  });

  it('refuses a connection pooler in front of the server, and asks for the address of the server', async () => {
    const database = await freshDatabase(accounts(10));
    const proxy = await hidingProxy(Number(process.env['PGPORT']));
    cleanUps.push(database.drop, async () => void proxy.server.close());
    const tables = ['public.accounts'];
    const { code, findings } = await doctorBeside(
      specFile('pooled', database.name, tables, sourceOf({ port: proxy.port }, database.name)),
    );
    expect(code).toBe(4); // the source was not reached
    const { detail, remedy } = findings.get('source.reachable')!;
    expect(detail).toContain(`a connection pooler answers at 127.0.0.1:${proxy.port}`);
    expect(remedy).toContain('host and port of the server itself');
  });

  it('reports that wal_level is not logical, and that only a running worker limits the WAL', async () => {
    const { code, findings, passed } = doctor(await otherServer());
    expect(code).toBe(1);
    expect(findings.get('source.wal-level')).toMatchObject({
      status: 'failed',
      detail: 'wal_level is replica, not logical',
    });
    expect(passed.get('source.wal-headroom')!.detail).toContain(
      'is unlimited, so walBudget 10GiB limits the WAL only while a worker runs',
    );
  });

  it('reports that no replication slot is free, and how many are needed', async () => {
    const { code, findings } = doctor(await otherServer());
    expect(code).toBe(1);
    expect(findings.get('source.slots')!.detail).toMatch(
      /^0 replication slots free, and 2 are needed/,
    );
    expect(findings.get('source.slots')!.remedy).toContain('max_replication_slots');
  });

  it('distinguishes a wrong password, an unknown database and a missing secret', () => {
    const cases: [object, RegExp][] = [
      [{ user: 'nobody' }, /password authentication failed/],
      [{ database: 'nowhere' }, /database "nowhere" does not exist/],
      [{ passwordFrom: { env: 'SLUICE_SECRET_UNSET' } }, /SLUICE_SECRET_UNSET/],
    ];
    for (const [more, says] of cases) {
      const { code, findings } = doctor(
        specFile('access', 'postgres', ['public.accounts'], sourceOf(more, 'postgres')),
      );
      expect([code, findings.get('source.reachable')?.detail]).toEqual([
        4,
        expect.stringMatching(says),
      ]);
    }
  });

  it.each([
    ['a missing table', 'CREATE TABLE other (id int PRIMARY KEY)', 'table.exists public.accounts'],
    ['no primary key', 'CREATE TABLE accounts (id int)', 'table.key public.accounts'],
    [
      'columns that differ only by case',
      'CREATE TABLE accounts (id int PRIMARY KEY, "Note" text, note text)',
      'table.column-names public.accounts',
    ],
    [
      'a type that cannot be proven',
      'CREATE TABLE accounts (id int PRIMARY KEY, p timetz)',
      'table.types public.accounts',
    ],
    [
      'replica identity nothing',
      'CREATE TABLE accounts (id int PRIMARY KEY); ALTER TABLE accounts REPLICA IDENTITY NOTHING',
      'table.replica-identity public.accounts',
    ],
  ])('names %s, and creates nothing', async (_case, setup, finding) => {
    const database = await freshDatabase(setup);
    const file = specFile('refused', database.name, ['public.accounts']);
    const { code, stdout } = sluice('doctor', '-f', file);
    expect([code, stdout]).toEqual([1, expect.stringContaining(finding)]);
    expect(stdout).not.toContain('GRANT'); // this role owns every table, so it needs no GRANT
    expect(await objects(database.client)).toEqual([]);
    await database.drop();
  });

  it('names every column of a rare type, those that can be compared and those that cannot', async () => {
    const database = await freshDatabase(
      'CREATE TABLE kitchen (id int PRIMARY KEY, "at" timetz, flags bit(4), place point, v text)',
    );
    const file = specFile('rare', database.name, ['public.kitchen']);
    const found = sluice('doctor', '-f', file).stdout;
    expect(found).toMatch(/cannot be proven equal: at \(time with time zone: [^;]*;/);
    expect(found).toContain('rare types can be compared: flags (bit(4)), place (point)');
    await database.drop();
  });

  it("names a sink table that stores times in a different way than the batch's result table", async () => {
    const database = await freshDatabase(`CREATE TABLE sales (id int PRIMARY KEY, at timestamptz);
      CREATE TABLE result_batch (id int PRIMARY KEY, at timestamptz);
      CREATE TABLE result_stream (id int PRIMARY KEY, at timestamp)`);
    const file = specFile('times', database.name, ['public.sales'], {
      batch: {
        result: { table: 'public.result_batch', key: ['id'] },
        query: { sql: 'SELECT id, at FROM public.sales' },
      },
      pipeline: {
        type: 'external',
        groups: ['times'],
        output: { topic: 'times-out', key: ['id'] },
      },
      sink: { type: 'jdbc-sink', table: 'public.result_stream' },
      cutover: { route: { type: 'none' } },
    });
    expect(sluice('doctor', '-f', file).stdout).toContain(
      'the sink table stores at as timestamp without time zone, unlike public.result_batch',
    );
    await database.drop();
  });

  it('exits with code 4 and names Kafka and Kafka Connect if they do not answer', async () => {
    const database = await freshDatabase(accounts(10));
    const dead = specFile('dead', database.name, ['public.accounts'], {
      kafka: { brokers: ['127.0.0.1:1'] },
      connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:1' },
    });
    const { code, findings } = doctor(dead);
    expect(code).toBe(4);
    for (const name of ['kafka.reachable', 'connect.reachable'])
      expect(findings.get(name)?.status).toBe('failed');
    await database.drop();
  });
});
