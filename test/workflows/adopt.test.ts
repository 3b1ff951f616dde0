// Tests a migration that adopts a capture. No step may create, change or remove an object that the
// migration adopts.
import { describe, expect, it } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import { ADOPTING } from '../support/adopting.js';
import { aWorkflowInput, approve, result } from '../support/builders.js';
import { fakes, failure } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

const SLOT = { kind: 'slot', name: 'shop_cdc', where: 'db', identity: 'pgoutput on bank' } as const;

/** Creates fakes that remember what was adopted, as the ledger does. */
function adopting(more: Partial<Activities> = {}) {
  return fakes({
    adoptObjects: () => Promise.resolve([{ ...SLOT, differs: ['tasks.max is 2, not 1'] }]),
    releaseAdopted: () => Promise.resolve([SLOT]),
    ...more,
  });
}

const anInput = (validation = {}) =>
  aWorkflowInput(validation, { ...ADOPTING, soak: { for: '2h', passes: 2 } });
const TOUCHES = /^(ensure(?!Lease)|create|claim|resume|handOverConnector|remove(?!Lease))/;
const touching = (calls: readonly string[]) => calls.filter((call) => TOUCHES.test(call));

describe('a migration that adopts a capture', () => {
  it('migrates, hands nothing over, and leaves everything that it adopted untouched', async () => {
    const fake = adopting();
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await approve(scene.handle);
      expect(await result(scene.handle)).toMatchObject({ outcome: 'migrated', leftovers: [] });
      expect((await scene.status()).handedOver).toEqual([]);
      const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
      const told = (kind: string) => audit.find((e) => e.kind === kind)?.detail;
      expect(told('adopted')).toMatch(
        /slot shop_cdc \(pgoutput on bank\), where .* tasks\.max is 2/,
      );
      expect(told('left-untouched')).toBe('slot shop_cdc');
    });
    expect(touching(fake.calls)).toEqual([]);
    expect(fake.calls).toContain('releaseAdopted');
  });

  it.each(['rollBack', 'rejectCutover'] as const)(
    'removes only its lease row after %s',
    async (signal) => {
      const fake = adopting();
      await play(bench, fake.activities, anInput(), async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await scene.handle.signal(signal, { by: 'ann', approver: 'ann', reason: 'no' });
        expect((await result(scene.handle)).outcome).toMatch(/rolled-back|rejected/);
      });
      expect(touching(fake.calls)).toEqual([]);
      expect(fake.calls.filter((call) => /^(remove|release)/.test(call))).toEqual([
        'releaseAdopted',
        'removeLease',
      ]);
    },
  );

  it('is blocked if an adopted connector disappears, and does not create it at a retry', async () => {
    const fake = adopting();
    await play(bench, fake.activities, anInput({ passesInARow: 1000 }), async (scene) => {
      await skipUntil(scene, (s) => s.phase === 'validate');
      fake.captureProblem = { code: 'connector-gone', detail: 'gone', remedy: 'create it again' };
      await skipUntil(scene, (s) => s.blocked !== null);
      await scene.handle.signal('retry');
      const blockedAgain = () => fake.calls.filter((call) => call === 'runWindow').length;
      const before = blockedAgain();
      await skipUntil(scene, (s) => s.blocked !== null && blockedAgain() > before);
      expect(touching(fake.calls)).toEqual([]);
      fake.captureProblem = null;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.blocked === null);
    });
  });

  it('is blocked, and adopts nothing, while an object that it must adopt does not exist', async () => {
    let isThere = false;
    const fake = adopting({
      adoptObjects: () =>
        isThere
          ? Promise.resolve([{ ...SLOT, differs: [] }])
          : Promise.reject(failure('preflight-failed', 'adopt.slot shop_cdc: does not exist')),
    });
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked !== null);
      expect((await scene.status()).blocked).toMatchObject({ code: 'preflight-failed' });
      isThere = true;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.needsApproval);
    });
  });

  it('asks the owner to create a lost slot again; after a retry, the next generation adopts it', async () => {
    let attempts = 0;
    const fake = adopting({
      catchUp: () => {
        attempts += 1;
        return attempts === 1
          ? Promise.reject(failure('slot-lost', 'replication slot shop_cdc no longer exists'))
          : Promise.resolve({ lsn: '0/2', ms: 5 });
      },
    });
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked !== null);
      expect((await scene.status()).blocked?.remedy).toMatch(
        /create the slot .* Sluice never does/,
      );
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.needsApproval);
      expect((await scene.status()).generation).toBe(2);
      expect(touching(fake.calls)).toEqual([]);
      expect(fake.calls.filter((call) => call === 'adoptObjects')).toHaveLength(2);
    });
  });
});
