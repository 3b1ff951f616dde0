// Tests the fence and the commit in a reporting database. A worker is killed at each change that
// the fence or the commit makes, and each database is made unreachable in turn. Afterwards,
// consumers must read the side that the lease row names.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities/index.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { runUntilKilled } from '../faults/killed-activity.js';
import { testPostgres, withDatabase } from '../support/sluice.js';
import { aHook } from '../support/webhook.js';
import { twoDatabases, viewOf, type TwoDatabases } from '../support/two-databases.js';

const NAME = 'far-commit';
type Answer = { refused: string | null; committed?: boolean };
let both: TwoDatabases;
let ref: MigrationRef;
let ledger: Ledger;
let systems: Systems;
let attempt = 0;

const act = (name: string, ...args: unknown[]): Promise<Answer> => {
  const all = createActivities({ secret: resolveSecret, ledger, systems, approvers: new Map() });
  return new MockActivityEnvironment().run(
    (all as unknown as Record<string, (...of: unknown[]) => Promise<Answer>>)[name]!,
    ...args,
  );
};
const attempted = () => ({ ref, token: `t${attempt}`, attempt, epoch: 1, evidenceId: 'ev' });

/** Returns what the target says: the lease row, and the table that consumers read. */
async function seen(): Promise<{ lease: string; side: string }> {
  const { rows } = await both.target.client.query<{ state: string }>(
    'SELECT state FROM sluice_far_commit.lease',
  );
  const { text } = (await viewOf(both)) as { text: string };
  return { lease: rows[0]!.state, side: text.includes('counts_stream') ? 'stream' : 'batch' };
}

const allow = (database: string, isAllowed: boolean): Promise<unknown> =>
  withDatabase('postgres', (admin) =>
    admin.query(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS ${isAllowed}`),
  );

beforeAll(async () => {
  both = await twoDatabases();
  const parsed = parseSpecObject(
    both.spec(NAME, {
      source: { postgres: testPostgres(both.source.name), tables: ['public.orders'] },
      target: { postgres: testPostgres(both.target.name) },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { spec } = parsed;
  ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  systems = new Systems(resolveSecret);
  const ids = { workflowId: `migration-${NAME}`, runKey: `run-${NAME}` };
  ref = { name: NAME, iteration: 1, generation: 1, ...ids, planHash: planHash(spec), spec };
  await act('openMigration', { input: spec, ...ids });
  await act('ensureLease', ref);
  await act('ensureSinkTable', ref);
});
afterAll(async () => {
  await act('removeSinkTable', ref, {
    kind: 'sink-table',
    name: 'public.counts_stream',
    where: resolve(ref).targetDatabase,
  });
  await act('removeLease', ref, {
    kind: 'lease',
    name: 'sluice_far_commit',
    where: resolve(ref).targetDatabase,
  });
  await Promise.all([systems.close(), ledger.close()]);
  await both.drop();
});
beforeEach(async () => {
  attempt += 1;
  await act('routeBack', ref);
  await both.target.client.query(`UPDATE sluice_far_commit.lease SET state = 'OPEN'`);
});

describe('a commit in a reporting database', () => {
  it('is complete or does not happen, no matter at which of its changes the worker is killed', async () => {
    await act('fence', attempted());
    const effects = runUntilKilled({
      activity: 'commitCutover',
      args: [attempted()],
      at: 0,
      when: 'after',
    })!;
    expect(await seen()).toEqual({ lease: 'SWITCHED', side: 'stream' });
    for (let at = 1; at <= effects; at += 1)
      for (const when of ['before', 'after'] as const) {
        attempt += 1;
        await act('routeBack', ref);
        await act('fence', attempted());
        const order = { activity: 'commitCutover', args: [attempted()], at, when };
        expect(runUntilKilled(order)).toBeNull();
        const { lease, side } = await seen();
        expect([`${lease} ${side}`, at, when]).toEqual([
          lease === 'SWITCHED' ? 'SWITCHED stream' : 'FENCED batch',
          at,
          when,
        ]);
        expect(await act('commitCutover', attempted())).toMatchObject({ refused: null });
        expect(await seen()).toEqual({ lease: 'SWITCHED', side: 'stream' });
      }
    expect(effects).toBeGreaterThan(3);
  });

  it('is refused if the source does not answer, and consumers keep reading the batch', async () => {
    await act('fence', attempted());
    await allow(both.source.name, false);
    const { refused } = await act('commitCutover', attempted());
    await allow(both.source.name, true);
    expect(refused).toContain(`the source ${both.source.name} could not be checked`);
    expect(await seen()).toEqual({ lease: 'FENCED', side: 'batch' });
    expect(await act('releaseFence', attempted())).toMatchObject({ committed: false });
  });

  it.each(['target', 'source'] as const)(
    'is refused if the %s is no longer the server of the fence, as after a failover',
    async (place) => {
      expect(await act('fence', attempted())).toMatchObject({ refused: null });
      const column = place === 'target' ? 'server' : 'source_server';
      await both.target.client.query(`UPDATE sluice_far_commit.lease SET ${column} = '7/1'`);
      const { refused } = await act('commitCutover', attempted());
      expect(refused).toMatch(new RegExp(`^the ${place} .* runs on a different server .*7/1 then`));
      expect(await seen()).toEqual({ lease: 'FENCED', side: 'batch' });
      expect(await act('releaseFence', attempted())).toMatchObject({ committed: false });
    },
  );

  it('fails while the target does not answer; afterwards the lease row shows that nothing switched', async () => {
    await act('fence', attempted());
    await allow(both.target.name, false);
    await expect(act('commitCutover', attempted())).rejects.toThrow(/not currently accepting/);
    await expect(act('releaseFence', attempted())).rejects.toThrow(/not currently accepting/);
    await allow(both.target.name, true);
    expect(await seen()).toEqual({ lease: 'FENCED', side: 'batch' });
    expect(await act('releaseFence', attempted())).toMatchObject({ committed: false });
  });

  it('is refused if a run of the batch began after the fence', async () => {
    await act('fence', attempted());
    await both.target.client.query(
      `INSERT INTO batch_runs VALUES ('late', now(), clock_timestamp(), NULL)`,
    );
    const { refused } = await act('commitCutover', attempted());
    await both.target.client.query(`DELETE FROM batch_runs WHERE run_id = 'late'`);
    expect(refused).toContain('batch run late has been active since');
    expect(await seen()).toEqual({ lease: 'FENCED', side: 'batch' });
  });
});

describe('a fence in a reporting database', () => {
  it('is set by the retry if the worker is killed after a change, and blocks no source table', async () => {
    const order = { activity: 'fence', args: [attempted()] };
    const effects = runUntilKilled({ ...order, at: 0, when: 'after' })!;
    for (let at = 1; at <= effects; at += 1) {
      await act('releaseFence', attempted());
      attempt += 1;
      const args = [attempted()];
      expect(runUntilKilled({ activity: 'fence', args, at, when: 'after' })).toBeNull();
      expect(await act('fence', attempted())).toMatchObject({ refused: null });
      expect(await seen()).toEqual({ lease: 'FENCED', side: 'batch' });
    }
    await both.source.client.query('UPDATE orders SET bucket = bucket');
    expect(effects).toBeGreaterThan(1);
  });
});

describe.each([
  [
    'table',
    'ALTER SCHEMA sluice_far_commit RENAME TO away',
    'ALTER SCHEMA away RENAME TO sluice_far_commit',
  ],
  [
    'row',
    `UPDATE sluice_far_commit.lease SET migration = 'away'`,
    `UPDATE sluice_far_commit.lease SET migration = '${NAME}'`,
  ],
])('a lease %s that a restore of an old backup removed', (_what, remove, restore) => {
  beforeEach(async () => {
    await act('fence', attempted());
    await both.target.client.query(remove);
  });
  afterEach(() => both.target.client.query(restore));
  const routed = (route: object): MigrationRef =>
    ({
      ...ref,
      spec: {
        ...ref.spec,
        spec: { ...ref.spec.spec, cutover: { ...ref.spec.spec.cutover, route } },
      },
    }) as MigrationRef;

  it('counts as a lease without a commit, so the fence is released and the run can roll back', async () => {
    expect(await act('releaseFence', attempted())).toEqual({ committed: false });
    await act('routeBack', ref);
    expect(await act('isSwitched', ref)).toBe(false);
    expect(await act('observeRoute', routed({ type: 'none' }))).toMatchObject({ side: 'batch' });
  });

  it('does not stop a rollback: its request to the HTTP route has a higher number than earlier requests', async () => {
    const hook = await aHook();
    await act('routeBack', routed({ type: 'http', url: hook.url }));
    hook.close();
    expect(hook.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { migration: NAME, side: 'batch', epoch: 1_999_999 },
    ]);
  });
});
