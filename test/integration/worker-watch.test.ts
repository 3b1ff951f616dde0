// Tests the watch that a worker keeps over notices and over migrations whose workflow has ended.
// Ledger, slot and webhook are real.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { Gauges } from '../../src/activities/runtime/gauges.js';
import { watchSlot } from '../../src/activities/guard/slot-watch.js';
import { latestRun } from '../../src/activities/objects/leftovers.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { planned, type Planned } from '../../src/activities/runtime/with-plan.js';
import type { Phase } from '../../src/domain/migration/phase.js';
import { readMetrics } from '../../src/wiring/worker-metrics.js';
import { watchOnce, type WatchDeps } from '../../src/wiring/worker-watch.js';
import { BATCH_PARTS, aRef, sleepUntil } from '../support/builders.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';
import { aStatus } from '../support/status.js';
import { aHook, type Hook } from '../support/webhook.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let hook: Hook;
beforeAll(async () => {
  hook = await aHook();
  database = await freshDatabase('CREATE TABLE accounts (id int PRIMARY KEY)');
  const { PGUSER, PGPASSWORD, PGHOST, PGPORT } = process.env;
  ledger = new Ledger(`postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/${database.name}`);
  await ledger.migrate();
});
afterAll(async () => {
  hook.close();
  await ledger.close();
  await database.drop();
});

const warnings: string[] = [];
const deps = (more: Partial<WatchDeps> = {}): WatchDeps => ({
  secret: resolveSecret,
  ledger,
  systems: new Systems(resolveSecret),
  gauges: new Gauges(),
  zones: [null],
  webhook: { url: hook.url, format: 'generic', token: undefined },
  latestRun: (name) => latestRun({ ledger }, name),
  stateOf: () => Promise.resolve(null),
  warn: (message) => void warnings.push(message),
  ...more,
});

/** Stores a migration of this name in the ledger. Returns its plan. */
async function aMigration(
  name: string,
  more: Record<string, unknown> = {},
  phase: Phase = 'approve',
) {
  const ref = aRef({
    name,
    spec: {
      source: {
        postgres: testPostgres(database.name),
        tables: ['public.accounts'],
        walBudget: { bytes: '1MiB', onExhaustion: 'drop-slot' },
      },
      ...more,
    },
  });
  await ledger.query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash, status) VALUES ($1, 1, 1, $2, $1, $3, 'h', $4)`,
    [
      name,
      ref.workflowId,
      JSON.stringify(ref.spec),
      JSON.stringify(aStatus({ name, phase, needsApproval: true, evidenceId: 'ev-1' })),
    ],
  );
  return planned(ref);
}

/** Creates the slot of a migration, and writes more WAL than its budget. Returns its name. */
async function anOverfullSlot({ ref, plan }: Planned, isOurs = true): Promise<string> {
  const { slot } = plan.names;
  await database.client.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await database.client.query(
    `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 4000000))`,
  );
  const object = { kind: 'slot', name: slot, where: plan.database } as const;
  if (isOurs) await ledger.setObjectState(ref, object, 'created');
  return slot;
}

const slotsNamed = async (name: string): Promise<number | null> =>
  (await database.client.query(`SELECT FROM pg_replication_slots WHERE slot_name = $1`, [name]))
    .rowCount;

const kinds = (): string[] =>
  hook.requests.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);

describe('the watch of a worker over notices and terminated runs', () => {
  it('sends each notice until the webhook accepts it, and then never again', async () => {
    await aMigration('waits');
    hook.answers.push(503);
    await watchOnce(deps(), false);
    expect(warnings.at(-1)).toContain('answered 503');
    expect(await readMetrics(ledger, new Gauges())).toContain('sluice_notices_failing 1');
    await watchOnce(deps(), false); // too early for a second attempt
    expect(kinds()).toEqual(['needs-approval']);
    await ledger.query(`UPDATE sluice.notice SET tried_at = now() - interval '1 hour'`);
    await watchOnce(deps(), false);
    await ledger.query(`UPDATE sluice.notice SET tried_at = now() - interval '1 day'`);
    await watchOnce(deps(), false);
    expect(kinds()).toEqual(['needs-approval', 'needs-approval']);
    await ledger.query(`DELETE FROM sluice.migration`);
  });

  it('drops the slot of a terminated run that exceeds its WAL budget, and records this', async () => {
    const slot = await anOverfullSlot(await aMigration('orphan'));
    const slots = () => slotsNamed(slot);
    const gauges = new Gauges();
    // the migration's workflow runs, so its guard is responsible
    await watchOnce(deps({ gauges }), true);
    expect([gauges.orphans, await slots()]).toEqual([[], 1]);
    await watchOnce(deps({ gauges, stateOf: () => Promise.resolve('terminated') }), true);
    expect(gauges.orphans).toEqual([{ migration: 'orphan', state: 'terminated', objects: 1 }]);
    expect(await slots()).toBe(0);
    expect(kinds()).toContain('ended-without-cleanup');
    expect(await ledger.events('orphan', 1)).toMatchObject([
      { kind: 'wal-budget', problem: expect.stringContaining('slot dropped') as string },
    ]);
    expect(gauges.wal.get('orphan')!.retainedBytes).toBeGreaterThan(2 ** 20);
  });

  it('drops the slot of a rollback that exceeds its WAL budget, because a rollback has no guard', async () => {
    const slot = await anOverfullSlot(await aMigration('returning', {}, 'roll-back'));
    const gauges = new Gauges();
    await watchOnce(deps({ gauges }), true);
    expect([gauges.orphans, await slotsNamed(slot)]).toEqual([[], 0]);
    expect(await ledger.events('returning', 1)).toMatchObject([{ kind: 'wal-budget' }]);
  });

  it('does nothing while a different worker watches', async () => {
    const { PGUSER, PGPASSWORD, PGHOST, PGPORT } = process.env;
    const other = new pg.Client(
      `postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/${database.name}`,
    );
    await other.connect();
    for (const key of ['notices', 'orphans of '])
      await other.query('SELECT pg_advisory_lock(7351002, hashtext($1))', [key]);
    const before = hook.requests.length;
    await ledger.query(`UPDATE sluice.notice SET sent_at = NULL, tried_at = NULL`);
    await watchOnce(deps(), true);
    expect(hook.requests).toHaveLength(before);
    await other.end();
  });
});

describe('a slot that retains more WAL than its budget', () => {
  /**
   * Creates the slot of a migration and returns what the guard reports. With `isOurs`, the ledger
   * says that the migration created the slot.
   */
  async function reportOn(
    name: string,
    isOurs: boolean,
    use?: (slot: string) => Promise<void>,
    more?: Record<string, unknown>,
  ) {
    const { ref, plan } = await aMigration(name, more);
    const slot = await anOverfullSlot({ ref, plan }, isOurs);
    await use?.(slot);
    return watchSlot(
      deps(),
      { ref, plan, slotExpected: true, alarmed: false },
      { wait: () => Promise.resolve(), retained: () => undefined },
    );
  }

  it('is reported as kept if the ledger does not say that the migration created it', async () => {
    expect(await reportOn('foreign', false)).toMatchObject({
      dropped: false,
      detail: expect.stringContaining('not dropped: the ledger does not say') as string,
    });
    expect(await slotsNamed('sluice_foreign')).toBe(1);
    await database.client.query(`SELECT pg_drop_replication_slot('sluice_foreign')`);
  });

  it('ends an earlier alarm when it retains less than its budget again', async () => {
    const walBudget = { bytes: '1GiB', onExhaustion: 'block' };
    const source = {
      postgres: testPostgres(database.name),
      tables: ['public.accounts'],
      walBudget,
    };
    const { ref, plan } = await aMigration('calm', { source });
    const slot = await anOverfullSlot({ ref, plan });
    const hooks = { wait: () => Promise.resolve(), retained: () => undefined };
    const report = (alarmed: boolean) =>
      watchSlot(deps(), { ref, plan, slotExpected: true, alarmed }, hooks);
    expect(await report(false)).toBeNull();
    expect(await report(true)).toMatchObject({
      kind: 'wal-in-budget',
      detail: expect.stringMatching(/^slot sluice_calm retains .*, which is within walBudget 1GiB/),
    });
    await database.client.query(`SELECT pg_drop_replication_slot('${slot}')`);
  });

  it('is kept and reported if the target, which says whether consumers moved, is away', async () => {
    const target = { postgres: { ...testPostgres(database.name), port: 1 } };
    expect(await reportOn('away', true, undefined, { ...BATCH_PARTS, target })).toMatchObject({
      dropped: false,
      detail: expect.stringMatching(/not dropped: the cut-over may be committed/) as string,
    });
    expect(await slotsNamed('sluice_away')).toBe(1);
    await database.client.query(`SELECT pg_drop_replication_slot('sluice_away')`);
  });

  it('is reported as kept while a session uses it', async () => {
    const { PGUSER, PGPASSWORD, PGHOST, PGPORT } = process.env;
    const url = `postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/${database.name}`;
    await database.client.query('CREATE PUBLICATION used FOR TABLE accounts');
    const session = new pg.Client({ connectionString: url, replication: 'database' } as object);
    await session.connect();
    const report = await reportOn('used', true, (slot) => {
      const options = `"proto_version" '1', "publication_names" 'used'`;
      session
        .query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (${options})`)
        .catch(() => undefined);
      const active = `SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`;
      const isUsed = async () => (await database.client.query(active)).rowCount === 1;
      return sleepUntil('the session uses the slot', isUsed);
    });
    expect(report).toMatchObject({
      dropped: false,
      detail: expect.stringMatching(/not dropped: session \d+ still uses it/) as string,
    });
    expect(await slotsNamed('sluice_used')).toBe(1);
    await session.end();
  });
});
