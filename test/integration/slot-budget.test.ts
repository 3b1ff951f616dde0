// Tests when the guard drops a slot that retains more WAL than its budget, and when it keeps the
// slot. Lease row and slot are real.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { watchSlot, type SlotReport } from '../../src/activities/guard/slot-watch.js';
import type { Planned } from '../../src/activities/runtime/with-plan.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { useBudgets } from '../support/budgets.js';
import { BATCH_PARTS, sleepUntil } from '../support/builders.js';
import { testPostgres, urlOf } from '../support/sluice.js';

const budgets = useBudgets();

interface Scene {
  /** True if the ledger says that the migration created the slot. */
  readonly isOurs?: boolean;
  /** Runs after the slot was created. */
  readonly beforehand?: (slot: string) => Promise<unknown>;
  readonly more?: Record<string, unknown>;
  /** Runs each time the guard waits until the slot is no longer used. */
  readonly meanwhile?: () => Promise<unknown>;
}

const watch = (
  run: Planned,
  alarmed = false,
  meanwhile: () => Promise<unknown> = noWait,
  systems = new Systems(resolveSecret),
) =>
  watchSlot(
    { secret: resolveSecret, ledger: budgets.ledger, systems },
    { ...run, slotExpected: true, alarmed },
    { wait: meanwhile, retained: () => undefined },
  );
const noWait = (): Promise<void> => Promise.resolve();

/**
 * Returns fake systems that add each stop and resume of the connector to `asked`. If the state is
 * null, the connector does not answer when it is asked for its status.
 */
function withConnector(asked: string[], state: 'RUNNING' | null = 'RUNNING'): Systems {
  const note = (what: string) => () => Promise.resolve(void asked.push(what));
  const status = () =>
    state ? Promise.resolve({ connector: { state } }) : Promise.reject(new Error('no answer'));
  const connect = () => ({ status, stop: note('stop'), resume: note('resume') });
  return { connect } as unknown as Systems;
}

/** Creates the slot of a migration and returns what the guard reports. */
async function reportOn(
  name: string,
  { isOurs = true, beforehand, more = {}, meanwhile = noWait }: Scene = {},
): Promise<SlotReport | null> {
  const run = await budgets.aMigration(name, more);
  const slot = await budgets.anOverfullSlot(run, isOurs);
  await beforehand?.(slot);
  return watch(run, false, meanwhile);
}

/** Expects that the slot was kept for this reason, and drops it. */
async function expectKept(report: SlotReport | null, slot: string, why: RegExp): Promise<void> {
  expect(report).toMatchObject({
    dropped: false,
    detail: expect.stringMatching(why) as string,
  });
  expect(await budgets.isThere(slot)).toBe(true);
  await budgets.drop(slot);
}

/** Opens a session that can read the slot of a migration, as its connector does. */
async function aReader(name: string) {
  const { name: database, client } = budgets.database;
  await client.query(`CREATE PUBLICATION ${name} FOR TABLE accounts`);
  const url = { connectionString: urlOf(database), replication: 'database' };
  const session = new pg.Client(url);
  await session.connect();
  const reads = (slot: string): Promise<void> => {
    const options = `"proto_version" '1', "publication_names" '${name}'`;
    session.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (${options})`).catch(() => undefined);
    const active = `SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`;
    const isUsed = async () => (await client.query(active)).rowCount === 1;
    return sleepUntil('the session uses the slot', isUsed);
  };
  return { reads, end: () => session.end() };
}

describe('a slot that retains more WAL than its budget', () => {
  it('is dropped if no cut-over is under way or committed', async () => {
    expect(await reportOn('over')).toMatchObject({ dropped: true });
    expect(await budgets.isThere('sluice_over')).toBe(false);
  });

  it('is dropped without a stop of its connector if Kafka Connect does not say whether it runs', async () => {
    const run = await budgets.aMigration('unanswered');
    const slot = await budgets.anOverfullSlot(run);
    await budgets.ownConnector(run);
    const asked: string[] = [];
    const systems = withConnector(asked, null);
    expect(await watch(run, false, noWait, systems)).toMatchObject({ dropped: true });
    expect(asked).toEqual([]);
    expect(await budgets.isThere(slot)).toBe(false);
  });

  it('is dropped; a connector with the planned name that is not owned is not stopped', async () => {
    const run = await budgets.aMigration('namesake');
    await budgets.anOverfullSlot(run);
    const asked: string[] = [];
    const report = await watch(run, false, noWait, withConnector(asked));
    expect(report).toMatchObject({ dropped: true });
    expect(asked).toEqual([]);
  });

  it('is reported as kept if the ledger does not say that the migration created it', async () =>
    expectKept(
      await reportOn('foreign', { isOurs: false }),
      'sluice_foreign',
      /not dropped: the ledger does not say/,
    ));

  it('ends an earlier alarm once it retains far less than its budget again', async () => {
    const walBudget = { bytes: '1GiB', onExhaustion: 'block' };
    const source = {
      postgres: testPostgres(budgets.database.name),
      tables: ['public.accounts'],
      walBudget,
    };
    const run = await budgets.aMigration('calm', { source });
    const slot = await budgets.anOverfullSlot(run);
    expect(await watch(run)).toBeNull();
    expect(await watch(run, true)).toMatchObject({
      kind: 'wal-in-budget',
      detail: expect.stringMatching(/^slot sluice_calm retains .*, which is within walBudget 1GiB/),
    });
    await budgets.drop(slot);
  });

  it('is kept and reported if the target, which knows whether consumers moved, does not answer', async () => {
    const target = { postgres: { ...testPostgres(budgets.database.name), port: 1 } };
    await expectKept(
      await reportOn('away', { more: { ...BATCH_PARTS, target } }),
      'sluice_away',
      /not dropped: it is unknown whether the cut-over is committed/,
    );
  });

  it('is kept and reported if a restored backup lacks the lease row', async () => {
    const beforehand = () => budgets.ledger.query(`DELETE FROM sluice.lease`);
    await expectKept(
      await reportOn('restored', { beforehand }),
      'sluice_restored',
      /not dropped: the cut-over may be committed, because the lease row is missing/,
    );
  });

  it('is kept and reported while a cut-over is under way', async () =>
    expectKept(
      await reportOn('fenced', { beforehand: () => budgets.setLease('fenced', 'FENCED') }),
      'sluice_fenced',
      /not dropped: a cut-over is under way/,
    ));

  it('is kept if the cut-over is committed while the guard waits for the end of a session', async () => {
    const session = await aReader('late');
    const meanwhile = async () => {
      await budgets.setLease('late', 'SWITCHED');
      await session.end();
      // The server notices the end of the session a moment later.
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const report = await reportOn('late', { beforehand: session.reads, meanwhile });
    await expectKept(report, 'sluice_late', /which is more than walBudget 1MiB$/);
  });

  it('is kept, and its connector runs again, if the lease row stays locked', async () => {
    const run = await budgets.aMigration('locked');
    const slot = await budgets.anOverfullSlot(run);
    await budgets.ownConnector(run);
    const commit = new pg.Client({ connectionString: urlOf(budgets.database.name) });
    await commit.connect();
    await commit.query(`BEGIN; SELECT FROM sluice.lease WHERE migration = 'locked' FOR UPDATE`);
    const asked: string[] = [];
    const report = watch(run, false, noWait, withConnector(asked));
    // without this cancel, the wait would end only at its time limit, after 20 s
    const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const isCancelled = async () => (await budgets.database.client.query(cancel)).rowCount === 1;
    await sleepUntil('the wait for the lock is cancelled', isCancelled);
    await report;
    await commit.end();
    expect(asked).toEqual(['stop', 'resume']);
    await expectKept(await report, slot, /not dropped: the lease row could not be locked/);
  });

  it('is reported as kept while a session uses it', async () => {
    const session = await aReader('used');
    const report = await reportOn('used', { beforehand: session.reads });
    expect(report).toMatchObject({
      dropped: false,
      detail: expect.stringMatching(/not dropped: session \d+ still uses it/) as string,
    });
    expect(await budgets.isThere('sluice_used')).toBe(true);
    await session.end();
  });
});
