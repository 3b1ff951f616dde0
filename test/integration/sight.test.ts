// Tests a role without pg_read_all_stats. A check is unknown if it needs something that the role
// cannot see. The remedy of the check is the statement that makes it visible. The file also tests
// that Sluice names the transaction for which a new slot waits.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attempt } from '../../src/activities/runtime/make-finding.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { adapterOf } from '../../src/activities/capture/index.js';
import { noLongTransactions } from '../../src/activities/capture/load/long-writers.js';
import { createConsumerActivities } from '../../src/activities/cutover/batch-output-readers.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { SlotWait, creatingSlot } from '../../src/activities/capture/load/slot-wait.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { createSlot } from '../../src/clients/postgres/shared-snapshot.js';
import { writersSince } from '../../src/clients/postgres/trigger-sql.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { Check } from '../../src/domain/evidence/check.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { accounts } from '../support/live.js';
import { freshDatabase, specOf, testPostgres, withDatabase } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let role: string;
let writer: pg.Client;
let spec: MigrationSpec;

const aSpec = (more: Record<string, unknown> = {}): MigrationSpec => {
  const source = {
    postgres: { ...testPostgres(database.name), user: role },
    tables: ['public.accounts'],
  };
  const parsed = parseSpecObject(specOf('sight', database.name, [], { source, ...more }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec;
};

beforeAll(async () => {
  database = await freshDatabase(accounts(10));
  role = `${database.name}_poor`;
  await database.client.query(
    `CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'sluice-local'; ALTER TABLE accounts OWNER TO ${role}`,
  );
  await database.client.query(`CREATE TABLE totals (day date PRIMARY KEY)`);
  spec = aSpec();
  writer = new pg.Client({ database: database.name, application_name: 'till' });
  await writer.connect();
});
afterEach(async () => {
  await writer.query('ROLLBACK');
  await database.client.query(`REVOKE pg_read_all_stats FROM ${role}`);
});
afterAll(async () => {
  await writer.end();
  await database.drop();
  await withDatabase('postgres', (admin) => admin.query(`DROP ROLE ${role}`));
});

const as = <T>(use: (client: pg.Client) => Promise<T>): Promise<T> =>
  withSource(spec, resolveSecret, use);
const longTransactions = (): Promise<Check> =>
  as((client) =>
    attempt('source.long-transactions', () =>
      noLongTransactions(client, spec.spec.source.postgres.user),
    ),
  );
const openWrite = (): Promise<unknown> =>
  writer.query('BEGIN; UPDATE accounts SET balance = balance WHERE id = 1');
const grant = (): Promise<unknown> => database.client.query(`GRANT pg_read_all_stats TO ${role}`);
const WRITER = () => `(till)`;

describe("a role that cannot see other roles' sessions", () => {
  it('learns that the age of a transaction is unknown, and which statement would show it', async () => {
    await openWrite();
    expect(await longTransactions()).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining(WRITER()) as string,
      remedy: `GRANT pg_read_all_stats TO ${role}`,
    });
    await grant();
    // now the age of the transaction is known, and it is small
    expect((await longTransactions()).detail).not.toContain(WRITER());
  });

  it('gets unknown from the check polling.delay until it has seen a transaction for the whole delay', async () => {
    const delay = async (text: string): Promise<Check> => {
      const connector = {
        type: 'jdbc-source',
        url: 'http://127.0.0.1:1',
        mode: 'incrementing',
        incrementingColumn: 'id',
        deletes: 'none',
        delay: text,
      };
      const plan = resolve({ spec: aSpec({ connector }), generation: 1 });
      const checks = await adapterOf(plan).checks(
        { secret: resolveSecret, systems: new Systems(resolveSecret) },
        plan,
        plan.capture,
      );
      return checks.find((c) => c.name === 'polling.delay')!;
    };
    expect(await delay('10s')).toMatchObject({ status: 'passed' });
    await openWrite();
    expect(await delay('10s')).toMatchObject({
      status: 'unknown',
      remedy: `GRANT pg_read_all_stats TO ${role}`,
    });
    expect(await delay('1s')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(WRITER()) as string,
    });
  });

  it('cannot see when a writer of a fenced table began, so the writer counts as unseen until it ends', async () => {
    const count = () =>
      as((client) => writersSince(client, ['public.accounts'], 'clock_timestamp()'));
    await openWrite();
    expect(await count()).toEqual({ old: 0, unseen: 1 });
    setTimeout(() => void writer.query('ROLLBACK'), 500);
    expect(await count()).toEqual({ old: 0, unseen: 0 });
    await openWrite();
    await grant();
    expect(await count()).toEqual({ old: 1, unseen: 0 });
  });

  it("learns how many of the sessions that may read the batch's table are hidden from it", async () => {
    const activities = createConsumerActivities({ secret: resolveSecret });
    const batch = { ...BATCH_PARTS.batch, result: { table: 'public.totals', key: ['day'] } };
    const ref = aRef({
      spec: {
        ...BATCH_PARTS,
        batch,
        cutover: {},
        source: {
          postgres: { ...testPostgres(database.name), user: role },
          tables: ['public.accounts'],
        },
      },
    });
    await grant(); // shows the sessions, but not settings, which need pg_read_all_settings
    const mark = { at: new Date(0).toISOString(), calls: {} };
    await database.client.query(`GRANT pg_read_all_settings TO ${role}`);
    const unknown = async () =>
      (await activities.readersOfBatch(ref, mark)).filter((reader) => reader.startsWith('unknown'));
    expect(await unknown()).toEqual([]);
    await database.client.query(`REVOKE pg_read_all_stats FROM ${role}`);
    expect(await unknown()).toEqual([
      expect.stringMatching(
        /^unknown: 2 session\(s\) of \w+, because .*\(GRANT pg_read_all_stats TO \w+\)$/,
      ),
    ]);
  });
});

describe('what a new slot waits for', () => {
  const prepare = async (gid: string): Promise<void> =>
    void (await writer.query(
      `BEGIN; UPDATE accounts SET balance = balance WHERE id = 1; PREPARE TRANSACTION '${gid}'`,
    ));

  it('may be a prepared transaction of any age, which doctor names with the statement that ends it', async () => {
    const gid = `it's ${database.name}`;
    const quoted = gid.replace("'", "''");
    await prepare(quoted);
    try {
      expect(await longTransactions()).toMatchObject({
        status: 'failed',
        detail: expect.stringContaining(`prepared transaction '${quoted}' of `) as string,
        remedy: expect.stringContaining(`ROLLBACK PREPARED '${quoted}'`) as string,
      });
    } finally {
      await writer.query(`ROLLBACK PREPARED '${quoted}'`);
    }
  });

  it('is reported after 30 s if the connector creates the slot, or at lock_timeout if Sluice does', async () => {
    const gid = `slow ${database.name}`;
    const slot = `slow_${database.name}`;
    await prepare(gid);
    const creator = new pg.Client({ database: database.name, user: role });
    await creator.connect();
    const waiting = creator.query(
      `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`,
    );
    try {
      const wait = new SlotWait(slot, as);
      const said: string[] = [];
      // other transactions on this server may be named first
      const isNamed = () => said.some((text) => text.includes(`prepared transaction '${gid}'`));
      for (let now = 10_000; !isNamed() && now < 10_000_000; now += 6000) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await wait.check(now).catch((error: Error) => said.push(error.message));
      }
      expect(said.at(-1)).toContain(`prepared transaction '${gid}'`);
      const ours = creatingSlot(`${slot}_2`, as, () =>
        createSlot(spec, resolveSecret, `${slot}_2`),
      );
      await expect(ours).rejects.toMatchObject({
        code: 'lock-timeout',
        message: expect.stringContaining(`prepared transaction '${gid}'`) as string,
      });
    } finally {
      await writer.query(`ROLLBACK PREPARED '${gid}'`);
      await waiting;
      await creator.end();
      await database.client.query('SELECT pg_drop_replication_slot($1)', [slot]);
    }
    expect(
      await as((client) =>
        client.query('SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE $1', [`${slot}%`]),
      ).then((r) => r.rows),
    ).toEqual([]);
  });
});
