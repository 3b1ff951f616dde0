// Tests how a worker sends notices (messages to a webhook), and watches the migrations that no
// guard watches at the moment. Ledger, slot and webhook are real.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { Gauges } from '../../src/activities/runtime/gauges.js';
import { latestRun } from '../../src/activities/objects/leftovers.js';
import { GUARD_PAUSED } from '../../src/clients/running-workflow.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { readMetrics } from '../../src/wiring/worker-metrics.js';
import { watchOnce, type WatchDeps } from '../../src/wiring/worker-watch.js';
import { useBudgets } from '../support/budgets.js';
import { urlOf } from '../support/sluice.js';
import { aHook, type Hook } from '../support/webhook.js';

const budgets = useBudgets();
let hook: Hook;
beforeAll(async () => {
  hook = await aHook();
});
afterAll(() => hook.close());

const warnings: string[] = [];
const deps = (more: Partial<WatchDeps> = {}): WatchDeps => ({
  secret: resolveSecret,
  ledger: budgets.ledger,
  systems: new Systems(resolveSecret),
  gauges: new Gauges(),
  zones: [null],
  webhook: { url: hook.url, format: 'generic', token: undefined },
  latestRun: (name) => latestRun({ ledger: budgets.ledger }, name),
  stateOf: () => Promise.resolve(null),
  warn: (message) => void warnings.push(message),
  ...more,
});

const kinds = (): string[] =>
  hook.requests.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);

describe('a worker that sends notices and watches migrations without a running guard', () => {
  it('tries for a day to send a notice, and never sends it again after the webhook has accepted it', async () => {
    await budgets.aMigration('waits');
    hook.answers.push(503);
    await watchOnce(deps(), false);
    expect(warnings.at(-1)).toContain('answered 503');
    expect(await readMetrics(budgets.ledger, new Gauges())).toContain('sluice_notices_failing 1');
    await watchOnce(deps(), false); // too early for a second attempt
    expect(kinds()).toEqual(['needs-approval']);
    await budgets.ledger.query(`UPDATE sluice.notice SET tried_at = now() - interval '1 hour'`);
    await watchOnce(deps(), false);
    await budgets.ledger.query(`UPDATE sluice.notice SET tried_at = now() - interval '1 day'`);
    await watchOnce(deps(), false);
    expect(kinds()).toEqual(['needs-approval', 'needs-approval']);
    // after a day, Sluice gives up; the notice must not count as failing then, or its alert would
    // never end
    await budgets.ledger.query(
      `UPDATE sluice.notice SET sent_at = NULL, created_at = now() - interval '2 days'`,
    );
    expect(await readMetrics(budgets.ledger, new Gauges())).toContain('sluice_notices_failing 0');
    await budgets.ledger.query(`DELETE FROM sluice.notice`);
    await budgets.ledger.query(`DELETE FROM sluice.migration`);
  });

  it('drops a slot that exceeds its WAL budget if its run was terminated, and records this', async () => {
    const slot = await budgets.anOverfullSlot(await budgets.aMigration('orphan'));
    const gauges = new Gauges();
    // the migration's workflow runs, so its guard is responsible
    await watchOnce(deps({ gauges }), true);
    expect([gauges.orphans, await budgets.isThere(slot)]).toEqual([[], true]);
    await watchOnce(deps({ gauges, stateOf: () => Promise.resolve('terminated') }), true);
    expect(gauges.orphans).toEqual([{ migration: 'orphan', state: 'terminated', objects: 1 }]);
    expect(await budgets.isThere(slot)).toBe(false);
    expect(kinds()).toContain('ended-without-cleanup');
    expect(await budgets.ledger.events('orphan', 1)).toMatchObject([
      { kind: 'wal-budget', problem: expect.stringContaining('slot dropped') as string },
    ]);
    expect(gauges.wal.get('orphan')!.retainedBytes).toBeGreaterThan(2 ** 20);
  });

  it('drops a slot over its WAL budget if the guard is paused, and does not say that the run has ended', async () => {
    const slot = await budgets.anOverfullSlot(await budgets.aMigration('guardless'));
    const gauges = new Gauges();
    await watchOnce(deps({ gauges, stateOf: () => Promise.resolve(GUARD_PAUSED) }), true);
    expect([gauges.orphans, await budgets.isThere(slot)]).toEqual([[], false]);
  });

  it('keeps the slot of a completed run whose outcome is missing, as in a restored ledger', async () => {
    const slot = await budgets.anOverfullSlot(await budgets.aMigration('completed'));
    const gauges = new Gauges();
    await watchOnce(deps({ gauges, stateOf: () => Promise.resolve('completed') }), true);
    expect(gauges.orphans.map(({ migration }) => migration)).toContain('completed');
    expect(await budgets.isThere(slot)).toBe(true);
    await budgets.drop(slot);
    await budgets.ledger.query(`DELETE FROM sluice.migration WHERE name = 'completed'`);
  });

  it('reports what an ended run left behind, and drops its slot if the slot exceeds its WAL budget', async () => {
    const slot = await budgets.anOverfullSlot(await budgets.aMigration('left'));
    await budgets.ledger.query(
      `UPDATE sluice.migration SET outcome = 'rolled-back' WHERE name = 'left'`,
    );
    const gauges = new Gauges();
    await watchOnce(deps({ gauges, stateOf: () => Promise.resolve('completed') }), true);
    expect(gauges.orphans).toContainEqual({ migration: 'left', state: 'completed', objects: 1 });
    expect(await budgets.isThere(slot)).toBe(false);
  });

  it('drops a slot that exceeds its WAL budget during a rollback, because a rollback has no guard', async () => {
    const migration = await budgets.aMigration('returning', {}, 'roll-back');
    const slot = await budgets.anOverfullSlot(migration);
    const gauges = new Gauges();
    await watchOnce(deps({ gauges }), true);
    expect([gauges.orphans, await budgets.isThere(slot)]).toEqual([[], false]);
    expect(await budgets.ledger.events('returning', 1)).toMatchObject([{ kind: 'wal-budget' }]);
  });

  it('does nothing while a different worker watches', async () => {
    const other = new pg.Client(urlOf(budgets.database.name));
    await other.connect();
    for (const key of ['notices', 'orphans of '])
      await other.query('SELECT pg_advisory_lock(7351002, hashtext($1))', [key]);
    const before = hook.requests.length;
    await budgets.ledger.query(`UPDATE sluice.notice SET sent_at = NULL, tried_at = NULL`);
    await watchOnce(deps(), true);
    expect(hook.requests).toHaveLength(before);
    await other.end();
  });
});
