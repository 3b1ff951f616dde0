// Tests the fence on the source tables on a real database: what the fence stops, what it allows,
// and that it ends without a worker.
import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import { sourceFenceRounds } from '../../bench/fence-drill.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { createDrainActivities } from '../../src/activities/cutover/drain-proof.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { writersSince } from '../../src/clients/postgres/trigger-sql.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { sleepUntil } from '../support/builders.js';
import { asApp, fencedSources } from '../support/fenced-sources.js';

let drill: Drill;
let ref: MigrationRef;

beforeAll(async () => {
  drill = await openDrill('source_fence');
  ref = await fencedSources(drill);
});
afterAll(async () => {
  await drill.client.query('DROP OWNED BY fence_app');
  await drill.client.query('DROP ROLE fence_app');
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  for (const { trigger } of resolve(ref).fence.guards)
    await drill.cutover.removeTrigger(ref, trigger);
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ($1, 'OPEN', 0) ON CONFLICT (migration) DO UPDATE SET state = 'OPEN', attempt = 0, token = NULL, expires_at = NULL`,
    [ref.name],
  );
});

let attempt = 0;
const input = (token: string): FenceInput => ({ ref, token, attempt, epoch: 1, evidenceId: 'ev' });
/** Returns the SQLSTATE of the refusal, or null if the write was accepted. */
const write = (client: pg.Client, sql: string): Promise<string | null> =>
  client.query(sql).then(
    () => null,
    (error: unknown) => (error as { code: string }).code,
  );

describe('a source table with `fence: source`', () => {
  it('refuses every kind of write by any role until the fence is released, and allows reads', async () => {
    expect((await drill.cutover.fence(input('kinds'))).refused).toBeNull();
    const statements = [
      'INSERT INTO source VALUES (5000, 1)',
      'UPDATE source SET n = n + 1 WHERE id = 1',
      'UPDATE source SET n = n WHERE false',
      'DELETE FROM source WHERE id = 2',
      'TRUNCATE source',
      'DELETE FROM parent WHERE id = 1', // its cascade reaches the fenced child table
      'SET session_replication_role = replica; UPDATE source SET n = n + 1 WHERE id = 1',
    ];
    for (const sql of statements)
      expect([sql, await write(drill.client, sql)]).toEqual([sql, '25006']);
    await drill.client.query('SET session_replication_role = DEFAULT');
    await asApp(drill, async (client) => {
      expect(await write(client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toBe('25006');
      expect((await client.query('SELECT 1 FROM source WHERE id = 1')).rows).toHaveLength(1);
    });
    await drill.cutover.releaseFence(input('kinds'));
    for (const sql of statements.slice(0, 3))
      expect([sql, await write(drill.client, sql)]).toEqual([sql, null]);
  });

  it('accepts writes again when the fence expires, although no worker is alive to release it', async () => {
    expect((await drill.cutover.fence(input('alone'))).refused).toBeNull();
    const fenced = Date.now();
    expect(await write(drill.client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toBe('25006');
    await sleepUntil(
      'writes are accepted',
      async () => (await write(drill.client, 'UPDATE source SET n = n + 1 WHERE id = 1')) === null,
    );
    expect(Date.now() - fenced).toBeLessThan(3000 + 30_000);
    expect((await drill.cutover.commitCutover(input('alone'))).refused).toMatch(
      /the fence expires at/,
    );
    expect((await drill.cutover.fence(input('alone'))).refused).toMatch(/this fence expired at/);
  });

  it('accepts writes again at the commit, before any trigger is dropped', async () => {
    expect((await drill.cutover.fence(input('commit'))).refused).toBeNull();
    expect(await drill.cutover.commitCutover(input('commit'))).toEqual({ refused: null });
    expect(await write(drill.client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toBeNull();
    await drill.cutover.routeBack(ref);
  });

  it('refuses a transaction whose snapshot is older than the fence', async () => {
    await asApp(drill, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT count(*) FROM parent');
      expect((await drill.cutover.fence(input('snapshot'))).refused).toBeNull();
      expect(await write(client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toMatch(
        /^(25006|40001)$/,
      );
    });
    await drill.cutover.releaseFence(input('snapshot'));
  });

  it('refuses every write if its lease row is gone', async () => {
    expect((await drill.cutover.fence(input('gone'))).refused).toBeNull();
    await drill.client.query(`DELETE FROM ${LEASE} WHERE migration = $1`, [ref.name]);
    expect(await write(drill.client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toBe('25006');
  });

  it('cannot be fenced while a long transaction locks it; nothing changes', async () => {
    await asApp(drill, async (client) => {
      await client.query('BEGIN; UPDATE child SET parent = parent WHERE id = 1');
      const { refused } = await drill.cutover.fence(input('busy'));
      expect(refused).toMatch(/a lock was not granted/);
      expect(await write(drill.client, 'UPDATE source SET n = n + 1 WHERE id = 1')).toBeNull();
      // the application's transaction was not ended
      expect(await write(client, 'UPDATE child SET parent = parent WHERE id = 2')).toBeNull();
      await client.query('ROLLBACK');
    });
    const left = await drill.client.query(
      `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'sluice%'`,
    );
    expect(left.rows).toEqual([]);
  }, 60_000);
});

describe('the proof that no writer is left, which the drain calls P1', () => {
  const drainTo = async (): Promise<string | null> => {
    const activities = createDrainActivities({
      secret: resolveSecret,
      systems: new Systems(resolveSecret),
    });
    const reason = (): Promise<string | null> =>
      activities.drainTo(ref, '0/0', 1000, 'token').then(
        (drained) => drained.reason,
        (error: unknown) => (error as Error).message,
      );
    return new MockActivityEnvironment().run<[], string | null, typeof reason>(reason);
  };
  it('fails if a trigger was disabled or the fence is over, and ends the drain', async () => {
    expect((await drill.cutover.fence(input('p1'))).refused).toBeNull();
    // P1 holds, and the drain continues with the connector, which this database does not have
    expect(await drainTo()).not.toMatch(/^P1/);
    await drill.client.query('ALTER TABLE child DISABLE TRIGGER ALL');
    expect(await drainTo()).toBe('P1: not fenced: "public"."child"');
    await drill.client.query(
      'ALTER TABLE child ENABLE ALWAYS TRIGGER sluice_sluice_drill_fence, ENABLE ALWAYS TRIGGER sluice_sluice_drill_fence_row',
    );
    await drill.cutover.releaseFence(input('p1'));
    expect(await drainTo()).toBe('P1: the lease row is no longer fenced');
  });
  it('counts writers that began before a moment, and each prepared transaction, whose age is unknown', async () => {
    const writers = (moment: string): Promise<number> =>
      withSource(
        ref.spec,
        resolveSecret,
        async (client) => (await writersSince(client, ['public.child'], moment)).old,
      );
    await asApp(drill, async (client) => {
      await client.query('BEGIN; UPDATE child SET parent = parent WHERE id = 1');
      expect(await writers('clock_timestamp()')).toBe(1);
      expect(await writers("clock_timestamp() - interval '1 hour'")).toBe(0);
      await client.query("PREPARE TRANSACTION 'old'");
      // the server does not show when a prepared transaction began, so it counts
      expect(await writers("clock_timestamp() - interval '1 hour'")).toBe(1);
      await client.query("ROLLBACK PREPARED 'old'");
      expect(await writers('clock_timestamp()')).toBe(0);
    });
  });
});

describe('a fenced partitioned table', () => {
  it('refuses writes to all partitions, and refuses the commit if a partition is new', async () => {
    await drill.client
      .query(`CREATE TABLE parted (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE TABLE "Parted 2" PARTITION OF parted FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id); CREATE TABLE parted_2a PARTITION OF "Parted 2" FOR VALUES FROM (10) TO (15)`);
    const { spec } = ref.spec;
    const parted: MigrationRef = {
      ...ref,
      spec: {
        ...ref.spec,
        spec: { ...spec, source: { ...spec.source, tables: ['public.parted'] } },
      },
    };
    const mine = (token: string): FenceInput => ({ ...input(token), ref: parted });
    expect((await drill.cutover.fence(mine('parts'))).refused).toBeNull();
    for (const target of ['parted', 'parted_1', '"Parted 2"', 'parted_2a'])
      expect([target, await write(drill.client, `INSERT INTO ${target} VALUES (12, 1)`)]).toEqual([
        target,
        '25006',
      ]);
    await drill.client.query(
      'CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30); ALTER TABLE parted DETACH PARTITION parted_1',
    );
    // the new partition inherited the row trigger, but has no trigger for TRUNCATE
    expect(await write(drill.client, 'INSERT INTO parted_3 VALUES (22, 1)')).toBe('25006');
    expect(await drill.cutover.commitCutover(mine('parts'))).toEqual({
      refused: 'not fenced: parted_3',
    });
    await drill.cutover.releaseFence(mine('parts'));
    for (const { trigger } of resolve(parted).fence.guards)
      await drill.cutover.removeTrigger(parted, trigger);
    expect(
      (await drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname LIKE 'sluice%'`)).rows,
    ).toEqual([]);
  });
});

describe('an attempt that is released or swept', () => {
  it('cannot fence again, no matter how late its call arrives', async () => {
    expect((await drill.cutover.fence(input('zombie'))).refused).toBeNull();
    expect(await drill.cutover.releaseFence(input('zombie'))).toEqual({ committed: false });
    for (const { trigger } of resolve(ref).fence.guards)
      await drill.cutover.removeTrigger(ref, trigger);
    expect((await drill.cutover.fence(input('zombie'))).attempt).toBe(input('zombie').attempt);
    expect(
      (await drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname LIKE 'sluice%'`)).rows,
    ).toEqual([]);
    expect((await drill.cutover.commitCutover(input('zombie'))).refused).toMatch(
      /the lease row is OPEN/,
    );
  });

  it('cannot commit after a sweep has ended it', async () => {
    expect((await drill.cutover.fence(input('swept'))).refused).toBeNull();
    expect(await drill.cutover.endAttempts(ref)).toEqual({ committed: false });
    expect((await drill.cutover.commitCutover(input('swept'))).refused).toMatch(/is OPEN/);
    expect((await drill.cutover.fence(input('swept'))).refused).toMatch(/was already released/);
  });

  it('learns that its commit happened although it seemed to fail', async () => {
    expect((await drill.cutover.fence(input('late'))).refused).toBeNull();
    expect(await drill.cutover.commitCutover(input('late'))).toEqual({ refused: null });
    expect(await drill.cutover.releaseFence(input('late'))).toEqual({ committed: true });
    await drill.cutover.routeBack(ref);
  });
});

describe('fence and commit on the source', () => {
  it('let busy writers change nothing in between, and give them no error but the refusal', async () => {
    const { slipped, broken, refused, writes, held } = await sourceFenceRounds(drill, 30, 8);
    expect({ slipped, broken, refused }).toEqual({ slipped: 0, broken: [], refused: [] });
    expect(writes).toBeGreaterThan(100);
    expect(held).toBeGreaterThan(0);
  });
});
