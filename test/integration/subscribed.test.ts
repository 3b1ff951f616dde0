// Tests tables that a subscription writes to. The subscription's apply worker fires no statement
// triggers, so the fence must also stop it by row triggers.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEASE, openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { guardProblem } from '../../src/activities/cutover/trigger-checks.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { ResolvedPlan } from '../../src/domain/plan/resolved-plan.js';

import { sleepUntil } from '../support/builders.js';
import { freshDatabase, serverVersion } from '../support/sluice.js';

const version = await serverVersion();
const SLOT = `subscribed_${process.pid}`;
let drill: Drill;
let publisher: Awaited<ReturnType<typeof freshDatabase>>;
let ref: MigrationRef;
let next = 10_000;

beforeAll(async () => {
  drill = await openDrill('subscribed');
  publisher =
    await freshDatabase(`CREATE TABLE source (id int PRIMARY KEY, n bigint NOT NULL); CREATE TABLE parted (id int PRIMARY KEY, n bigint NOT NULL);
    CREATE PUBLICATION all_of_it FOR ALL TABLES`);
  await publisher.client.query(`SELECT pg_create_logical_replication_slot('${SLOT}', 'pgoutput')`);
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD } = process.env;
  await drill.client.query(
    `CREATE TABLE parted (id int PRIMARY KEY, n bigint NOT NULL) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000000)`,
  );
  await drill.client.query(
    `CREATE SUBSCRIPTION ${SLOT} CONNECTION 'host=${PGHOST} port=${PGPORT} user=${PGUSER} password=${PGPASSWORD} dbname=${publisher.name}' PUBLICATION all_of_it
       WITH (create_slot = false, copy_data = false, slot_name = '${SLOT}')`,
  );
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ('${drill.ref().name}', 'OPEN', 0)`,
  );
  const { spec, ...rest } = drill.ref();
  const { source, cutover, ...parts } = spec.spec;
  const fenced = {
    source: { ...source, tables: ['public.source', 'public.parted'] },
    cutover: { ...cutover, fence: 'source' as const, maxHold: '30s' },
  };
  ref = { ...rest, spec: { ...spec, spec: { ...parts, ...fenced } } };
});
afterAll(async () => {
  await drill.client.query(
    `ALTER SUBSCRIPTION ${SLOT} DISABLE; ALTER SUBSCRIPTION ${SLOT} SET (slot_name = NONE)`,
  );
  await drill.client.query(`DROP SUBSCRIPTION ${SLOT}`);
  await drill.close();
  await publisher.drop();
});

const input = (token: string, attempt: number): FenceInput => ({
  ref,
  token,
  attempt,
  epoch: 1,
  evidenceId: 'ev',
});
/** Returns the plan of the same migration with only these tables. */
const guarding = (...tables: string[]): ResolvedPlan => {
  const { spec, ...rest } = ref.spec;
  return resolve({
    spec: { ...rest, spec: { ...spec, source: { ...spec.source, tables } } },
    generation: 1,
  });
};
const count = async (client: pg.Client): Promise<number> =>
  Number(
    (
      await client.query<{ n: string }>(
        'SELECT (SELECT count(*) FROM source WHERE id >= 10000) + (SELECT count(*) FROM parted) AS n',
      )
    ).rows[0]!.n,
  );
async function publish(rows: number): Promise<void> {
  await publisher.client.query(
    `INSERT INTO source SELECT g, 0 FROM generate_series(${next}, ${next + rows - 1}) g; INSERT INTO parted SELECT g, 0 FROM generate_series(${next}, ${next + rows - 1}) g`,
  );
  next += rows;
}
const landed = (): Promise<void> =>
  sleepUntil(
    'the published rows have arrived',
    async () => (await count(drill.client)) === (await count(publisher.client)),
  );
/** Returns a text that changes whenever the apply worker was refused. */
const refusals = async (): Promise<string> =>
  (
    await drill.client.query<{ mark: string }>(
      version < 150_000
        ? `SELECT concat(max(pid)) AS mark FROM pg_stat_subscription WHERE subname = $1` // a refused worker ends, so the next one has another pid
        : `SELECT apply_error_count::text AS mark FROM pg_stat_subscription_stats WHERE subname = $1`,
      [SLOT],
    )
  ).rows[0]!.mark;

describe('a table that a subscription writes to', () => {
  it('accepts no row while fenced, not even in a partition, and accepts all rows afterwards', async () => {
    await publish(5);
    await landed();
    expect((await drill.cutover.fence(input('first', 1))).refused).toBeNull();
    const before = await count(drill.client);
    const refused = await refusals();
    await publish(5);
    await sleepUntil('the apply worker is refused', async () => (await refusals()) !== refused);
    expect(await count(drill.client)).toBe(before);
    await drill.cutover.releaseFence(input('first', 1));
    await landed();
    // the fence reuses the triggers, which still exist
    expect((await drill.cutover.fence(input('second', 2))).refused).toBeNull();
    await drill.cutover.releaseFence(input('second', 2));
    for (const { trigger } of resolve(ref).fence.guards)
      await drill.cutover.removeTrigger(ref, trigger);
    expect(
      (await drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname LIKE 'sluice%'`)).rows,
    ).toEqual([]);
  });

  it('is refused by doctor if the subscription would be disabled at the first refusal', async () => {
    const problem = () =>
      guardProblem(drill.client, guarding('public.source', 'public.parted'), 'fence');
    expect(await problem()).toBeNull();
    const fragile = drill.client.query(`ALTER SUBSCRIPTION ${SLOT} SET (disable_on_error = true)`);
    if (version < 150_000) {
      await expect(fragile).rejects.toThrow('unrecognized subscription parameter');
      return;
    }
    await fragile;
    expect(await problem()).toEqual({
      detail: expect.stringContaining(`${SLOT} writes source`) as string,
      remedy: `ALTER SUBSCRIPTION "${SLOT}" SET (disable_on_error = false)`,
    });
    await drill.client.query(`ALTER SUBSCRIPTION ${SLOT} SET (disable_on_error = false)`);
  });
});

describe('a partition of a different owner, or a trigger with the name of a trigger of Sluice', () => {
  it('is found by doctor, and Sluice does not remove the trigger, which it did not create', async () => {
    const role = `other_${process.pid}`;
    const us = `us_${process.pid}`;
    await drill.client.query(
      `CREATE ROLE ${role}; CREATE ROLE ${us}; GRANT ${process.env['PGUSER']} TO ${us}; ALTER TABLE parted_1 OWNER TO ${role}`,
    );
    await drill.client.query(
      `CREATE ROLE plain_${process.pid}; ALTER TABLE parted OWNER TO plain_${process.pid}; REVOKE ${process.env['PGUSER']} FROM ${us}; GRANT plain_${process.pid} TO ${us}; SET ROLE ${us}`,
    );
    expect(await guardProblem(drill.client, guarding('public.parted'), 'fence')).toEqual({
      detail: `only the owner may create a trigger that fires for every session: parted_1 (owner ${role})`,
      remedy: `GRANT "${role}" TO "${us}"`,
    });
    await drill.client.query(
      `RESET ROLE; ALTER TABLE parted OWNER TO ${process.env['PGUSER']}; ALTER TABLE parted_1 OWNER TO ${process.env['PGUSER']}; DROP ROLE ${us}, ${role}, plain_${process.pid}`,
    );
    const name = resolve(ref).fence.guards[0]!.trigger.name.split(' on ')[0]!;
    await drill.client.query(
      `CREATE TRIGGER ${name} BEFORE UPDATE ON source FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    );
    expect(await guardProblem(drill.client, guarding('public.source'), 'fence')).toMatchObject({
      detail: `a trigger exists with a name that Sluice needs, and Sluice did not create it: ${name} on source`,
    });
    expect((await drill.cutover.fence(input('third', 3))).refused).toBe(
      `Sluice did not create trigger ${name} on source`,
    );
    for (const { trigger } of resolve(ref).fence.guards)
      await drill.cutover.removeTrigger(ref, trigger);
    expect(
      (await drill.client.query(`SELECT 1 FROM pg_trigger WHERE tgname = '${name}'`)).rows,
    ).toHaveLength(1);
  });
});
