// Tests least privilege with real servers. A person can paste the SQL that doctor prints. The SQL
// that `init --sql` prints grants enough rights. Reading the ledger needs only USAGE and SELECT.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEDGER_SCHEMA } from '../../src/clients/ledger/ledger-schema.js';
import {
  freshDatabase,
  sluice,
  specFile,
  testPostgres,
  withDatabase,
  type Ran,
} from '../support/sluice.js';

interface Told {
  readonly checks: {
    name: string;
    subject: string;
    status: string;
    detail: string;
    remedy: string;
  }[];
  readonly sql: string[];
}

let database: Awaited<ReturnType<typeof freshDatabase>>;
const role = (name: string): string => `${database.name}_${name}`;

const SETUP = (owner: string): string => `
  CREATE ROLE ${owner}; CREATE SCHEMA billing AUTHORIZATION ${owner}; SET ROLE ${owner};
  CREATE TABLE billing.plans (plan text PRIMARY KEY, price numeric(12,4) NOT NULL); INSERT INTO billing.plans VALUES ('pro', 9.5);
  CREATE TABLE billing.totals_batch (plan text PRIMARY KEY, price numeric(12,4) NOT NULL);
  CREATE TABLE billing.control (paused_until timestamptz);
  CREATE VIEW billing.totals AS SELECT plan, price FROM billing.totals_batch; RESET ROLE`;

const aSpec = (user: string, more: Record<string, unknown> = {}): string =>
  specFile('least', database.name, [], {
    source: { postgres: { ...testPostgres(database.name), user }, tables: ['billing.plans'] },
    batch: {
      result: { table: 'billing.totals_batch', key: ['plan'] },
      query: { sql: 'SELECT plan, price FROM billing.plans' },
      pause: { sql: 'UPDATE billing.control SET paused_until = $1' },
    },
    pipeline: {
      type: 'external',
      groups: ['least'],
      output: { topic: `${database.name}-out`, key: ['plan'] },
    },
    sink: { type: 'jdbc-sink', table: 'billing.totals_stream' },
    cutover: {
      route: {
        type: 'postgres-view',
        view: 'billing.totals',
        batch: 'billing.totals_batch',
        stream: 'billing.totals_stream',
      },
    },
    ...more,
  });

const doctor = (file: string): Told =>
  JSON.parse(sluice('doctor', '-f', file, '-o', 'json').stdout) as Told;
const open = ({ checks }: Told) =>
  checks.filter((c) => c.status === 'failed' || c.status === 'unknown');
const RIGHTS = /^(source|table|privilege|sink|route|batch)/;

beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  await database.client.query(SETUP(role('owner')));
  for (const name of ['migrator', 'printed', 'narrow', 'auditor'])
    await database.client.query(`CREATE ROLE ${role(name)} LOGIN PASSWORD 'sluice-local'`);
});
afterAll(async () => {
  await database.drop();
  const roles = ['migrator', 'printed', 'narrow', 'auditor', 'capture', 'owner'].map(role);
  await withDatabase('postgres', async (admin) => {
    for (const name of roles) await admin.query(`DROP ROLE IF EXISTS ${name}`);
  });
});

describe('doctor', () => {
  it('prints SQL for all missing rights within four runs, with the real owners and without BYPASSRLS', async () => {
    const file = aSpec(role('migrator'));
    const asked: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const missing = doctor(file).sql.filter((sql) => !asked.includes(sql));
      if (missing.length === 0) break;
      for (const sql of missing) await database.client.query(sql);
      asked.push(...missing);
      if (round === 0)
        expect(missing).toContain('GRANT USAGE ON SCHEMA billing TO ' + role('migrator'));
    }
    for (const sql of [
      `GRANT ${role('owner')} TO ${role('migrator')}`,
      `ALTER ROLE ${role('migrator')} REPLICATION`,
      `GRANT pg_read_all_stats TO ${role('migrator')}`,
    ])
      expect(asked).toContain(sql);
    expect(asked.join()).not.toContain('BYPASSRLS');
    expect(open(doctor(file)).filter((c) => RIGHTS.test(c.name))).toEqual([]);
  });

  it('asks for USAGE if the role lacks it, and for BYPASSRLS only if row security hides rows', async () => {
    const narrow = role('narrow');
    await database.client.query(`GRANT SELECT ON billing.plans TO ${narrow}`);
    const security = (told: Told) => told.checks.find((c) => c.name === 'table.row-security');
    expect(security(doctor(aSpec(narrow)))).toMatchObject({
      status: 'failed',
      remedy: `GRANT USAGE ON SCHEMA billing TO ${narrow}`,
    });
    await database.client.query(`GRANT USAGE ON SCHEMA billing TO ${narrow}`);
    expect(security(doctor(aSpec(narrow)))).toMatchObject({ status: 'passed' });
    await database.client.query('ALTER TABLE billing.plans ENABLE ROW LEVEL SECURITY');
    expect(security(doctor(aSpec(narrow)))).toMatchObject({
      status: 'failed',
      remedy: `ALTER ROLE ${narrow} BYPASSRLS`,
    });
    const config = {
      'database.user': role('auditor'),
      'database.password': '${env:PGPASSWORD}',
    };
    const connector = {
      type: 'debezium-postgres',
      url: process.env['CONNECT_URL'],
      config,
    };
    expect(security(doctor(aSpec(narrow, { connector })))).toMatchObject({
      status: 'failed',
      remedy: `ALTER ROLE ${narrow} BYPASSRLS; ALTER ROLE ${role('auditor')} BYPASSRLS`,
    });
    await database.client.query('ALTER TABLE billing.plans DISABLE ROW LEVEL SECURITY');
  });

  it('names time limits that would end the initial load, and SQL that lifts them for the role', async () => {
    const narrow = role('narrow');
    const limits = () => doctor(aSpec(narrow)).checks.find((c) => c.name === 'source.time-limits')!;
    expect(limits()).toMatchObject({ status: 'passed' });
    await database.client.query(
      `ALTER DATABASE ${database.name} SET idle_in_transaction_session_timeout = '5s'; ALTER ROLE ${narrow} SET lock_timeout = '100ms'`,
    );
    const { detail, remedy } = limits();
    expect(detail).toMatch(/idle_in_transaction_session_timeout is 5.0 s, set for the database/);
    expect(detail).toMatch(/lock_timeout is 100 ms, set for the role/);
    for (const sql of remedy.split('; ')) await database.client.query(sql);
    expect(limits()).toMatchObject({ status: 'passed' });
    await database.client.query(`ALTER DATABASE ${database.name} RESET ALL`);
  });

  it('says how many connections are needed if the role or database allows fewer', async () => {
    const narrow = role('narrow');
    const connections = () =>
      doctor(aSpec(narrow)).checks.find((c) => c.name === 'source.connections')!;
    await database.client.query(
      `ALTER ROLE ${narrow} CONNECTION LIMIT 4; ALTER DATABASE ${database.name} CONNECTION LIMIT 6`,
    );
    const { detail, remedy } = connections();
    expect(detail).toMatch(
      /^a migration needs 13 connections .*CONNECTION LIMIT of role \w+ is 4.*CONNECTION LIMIT of database \w+ is 6/,
    );
    for (const sql of remedy.split('; ')) await database.client.query(sql);
    expect(connections()).toMatchObject({ status: 'passed' });
    await database.client.query(`ALTER DATABASE ${database.name} CONNECTION LIMIT -1`);
  });
});

describe('sluice init --sql', () => {
  const psql = (file: string): Ran => {
    const { status, stdout, stderr } = spawnSync(
      'psql',
      ['-X', '-v', 'ON_ERROR_STOP=1', '-d', database.name, '-f', file],
      { encoding: 'utf8' },
    );
    return { code: status, stdout, stderr };
  };

  it('prints enough rights for a connector with its own login, and the SQL can be pasted twice', async () => {
    const connector = {
      type: 'debezium-postgres',
      url: process.env['CONNECT_URL'],
      config: { 'database.user': role('capture'), 'database.password': '${env:PGPASSWORD}' },
    };
    const file = aSpec(role('printed'), { connector });
    const { code, stdout } = sluice('init', '--sql', '-f', file);
    expect(code).toBe(0);
    expect(stdout).toContain(`GRANT ${role('owner')} TO ${role('printed')};`);
    expect(stdout).toContain('rds_replication');
    const script = join(dirname(file), 'grants.sql');
    writeFileSync(script, stdout);
    for (const _ of [1, 2]) expect(psql(script)).toMatchObject({ code: 0 });
    await database.client.query(`ALTER ROLE ${role('capture')} PASSWORD 'sluice-local'`);
    expect(open(doctor(file)).filter((c) => c.name !== 'kafka.topics-free')).toEqual([]);
  });

  it('prints a placeholder that no server accepts if it cannot read the owner, and says so', () => {
    const { code, stdout } = sluice(
      'init',
      '--sql',
      '-f',
      aSpec('nobody_here', {
        source: {
          postgres: { ...testPostgres('no_such_database'), user: 'nobody_here' },
          tables: ['billing.plans'],
        },
      }),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('THE DATABASE DID NOT ANSWER');
    expect(stdout).toContain('GRANT <owner of billing.plans> TO nobody_here;');
  });
});

describe("a ledger's reader", () => {
  it('reads everything with USAGE and SELECT, or sees which GRANT is missing, and creates no ledger', async () => {
    const auditor = role('auditor');
    const url = `postgres://${auditor}:sluice-local@${process.env['PGHOST']}:${process.env['PGPORT']}/${database.name}`;
    const read = (...args: string[]): Ran => {
      const before = process.env['SLUICE_LEDGER_URL'];
      process.env['SLUICE_LEDGER_URL'] = url;
      try {
        return sluice(...args);
      } finally {
        process.env['SLUICE_LEDGER_URL'] = before;
      }
    };
    expect(read('list')).toMatchObject({ code: 0, stdout: 'no migrations\n' });
    expect(
      (await database.client.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'sluice'`)).rows,
    ).toEqual([]);
    await database.client.query(LEDGER_SCHEMA);
    const denied = read('audit', 'one');
    expect(denied.code).not.toBe(0);
    expect(denied.stderr).toContain(
      `GRANT USAGE ON SCHEMA sluice TO ${auditor}; GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO ${auditor}`,
    );
    await database.client.query(
      `GRANT USAGE ON SCHEMA sluice TO ${auditor}; GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO ${auditor}`,
    );
    await database.client.query(
      `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash) VALUES ('one', 1, 1, 'w', 'r', '{}', 'p')`,
    );
    for (const verb of [['list'], ['audit', 'one'], ['diff', 'one'], ['dashboard']])
      expect([verb, read(...verb).code]).toEqual([verb, 0]);
  });
});
