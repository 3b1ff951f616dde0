// Tests a run that was reset to a point before its commit, so it does not know that it committed.
// The lease row records the commit, and the run trusts the row. The owner trigger is the trigger
// of a shared table. It accepts writes only by the owner, which is the batch or the stream.
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, SHARED_PARTS, aSpecInput, anHourlyInput } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

const SPEC = {
  ...SHARED_PARTS,
  validation: { every: '1h', passesInARow: 1 },
  soak: { for: '2h', passes: 1 },
};
const anInput = () => aSpecInput({ name: 'reset', spec: SPEC }) as { metadata: { name: string } };
const aViewInput = () =>
  anHourlyInput('reset-view', { ...BATCH_PARTS, soak: { for: '2h', passes: 1 } });
const back = { by: 'ann', reason: 'test' };
const UNDOES_THE_COMMIT = ['removeTrigger', 'commitCutover', 'fence', 'releaseFence'];

describe('a run that was reset to before its commit', () => {
  it('continues after the commit without another approval or fence, and keeps the owner trigger', async () => {
    const fake = fakes();
    fake.switched = true;
    await play(bench, fake.activities, anInput(), async (scene) => {
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      const audit = await scene.handle.query<{ kind: string; id: string }[]>('audit');
      expect(audit.some((event) => event.kind === 'committed')).toBe(true);
      expect(audit.some((event) => event.kind === 'needs-approval')).toBe(false);
      expect(new Set(audit.map((event) => event.id)).size).toBe(audit.length);
      expect(audit.every((event) => event.id.includes('/'))).toBe(true);
    });
    const before = fake.calls.slice(0, fake.calls.indexOf('moveSink'));
    for (const call of UNDOES_THE_COMMIT) expect(before).not.toContain(call);
    expect(fake.calls).not.toContain('commitCutover');
  });

  it('learns of the commit when it releases the fence, and does not drop the owner trigger', async () => {
    const fake = fakes();
    const fence = () => {
      fake.switched = true; // the lease row, as the run before the reset left it
      return Promise.resolve({
        lsn: '0/0',
        refused: 'the cut-over was already committed (the lease row says SWITCHED at 12:00)',
      });
    };
    const releaseFence = () => Promise.resolve({ committed: true });
    const activities = { ...fake.activities, fence, releaseFence };
    await play(bench, activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      await skipUntil(scene, (s) => s.phase === 'soak');
      expect(await scene.status()).toMatchObject({ route: { side: 'stream' } });
      expect(fake.calls).not.toContain('removeTrigger');
      await scene.handle.signal('rollBack', back);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
  });

  it.each([
    ['the evidence is approved', true],
    ['its next window is due', false],
  ])(
    'finds its commit in phase approve when %s, and continues as committed',
    async (_at, isApproved) => {
      const fake = fakes({
        // the view reads the stream already, so the trial of its switch fails
        proveRoute: () =>
          Promise.reject(failure('route-unexpected', 'the view cannot be switched')),
      });
      await play(bench, fake.activities, aViewInput(), async (scene) => {
        await scene.reach((s) => s.needsApproval);
        fake.switched = true; // the lease row, as the run before the reset left it
        if (isApproved) await scene.handle.signal('approveCutover', { approver: 'ann' });
        expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
        expect(await scene.status()).toMatchObject({ route: { side: 'stream' } });
        const audit = await scene.handle.query<{ kind: string }[]>('audit');
        expect(audit.filter(({ kind }) => kind === 'blocked')).toEqual([]);
        expect(audit.some(({ kind }) => kind === 'committed')).toBe(true);
      });
      expect(fake.calls).not.toContain('fence');
      const before = fake.calls.slice(0, fake.calls.indexOf('markReaders'));
      expect(before.filter((call) => call === 'runWindow')).toHaveLength(1);
    },
  );

  it('finds its commit if it was reset between the read of the lease row and the trial of the route', async () => {
    const fake = fakes({
      proveRoute: () => {
        fake.switched = true;
        return Promise.reject(failure('route-unexpected', 'the view cannot be switched'));
      },
    });
    await play(bench, fake.activities, aViewInput(), async (scene) => {
      await scene.reach((s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
      expect(JSON.stringify(await scene.handle.query('audit'))).not.toContain('"blocked"');
    });
  });

  it('fences with an attempt number above those of the attempts that it has forgotten', async () => {
    const fake = fakes();
    const numbers: number[] = [];
    fake.activities.fence = ({ attempt }) => {
      numbers.push(attempt);
      return Promise.resolve(
        attempt > 7
          ? { lsn: '0/3', refused: null }
          : { lsn: '0/0', refused: `attempt ${attempt} was already released`, attempt: 7 },
      );
    };
    await play(bench, fake.activities, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      expect(await scene.handle.result()).toMatchObject({ outcome: 'migrated' });
    });
    expect(numbers).toEqual([1, 8]);
  });

  it('removes nothing if its slot is lost, too, and can then only be rolled back', async () => {
    const fake = fakes();
    const catchUp = () => Promise.reject(failure('slot-lost', 'slot gone'));
    fake.switched = true;
    await play(bench, { ...fake.activities, catchUp }, anInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked?.code === 'slot-lost');
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.blocked?.code === 'route-unexpected');
      expect(fake.calls.filter((call) => call.startsWith('remove'))).toEqual([]);
      await scene.handle.signal('rollBack', back);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
    expect(fake.calls).toContain('routeBack');
  });
});

describe('a run that was reset after it had ended, and has removed its lease row', () => {
  const ended = 'it had already ended before it was reset';
  /**
   * After a call of `end`, `isSwitched` answers as it does if the ledger says that the run has
   * removed its lease row.
   */
  const withoutRow = () => {
    const fake = fakes();
    let isEnded = false;
    fake.activities.isSwitched = (_ref, needsRow) =>
      isEnded && needsRow
        ? Promise.reject(failure('already-ended', ended))
        : Promise.resolve(!isEnded && fake.switched);
    return { fake, end: () => (isEnded = true) };
  };

  it.each(['approve', 'soak'] as const)(
    'is blocked in phase %s without another fence, and a rollback returns consumers to the batch',
    async (phase) => {
      const { fake, end } = withoutRow();
      await play(bench, fake.activities, aViewInput(), async (scene) => {
        await scene.reach((s) => s.needsApproval);
        if (phase === 'approve') {
          fake.switched = true;
          end();
        }
        await scene.handle.signal('approveCutover', { approver: 'ann' });
        if (phase === 'soak') {
          await scene.reach((s) => s.phase === 'soak');
          end();
        }
        await skipUntil(scene, (s) => s.blocked?.code === 'already-ended');
        expect((await scene.status()).blocked?.detail).toBe(ended);
        expect(fake.calls.includes('fence')).toBe(phase === 'soak');
        await scene.handle.signal('rollBack', back);
        expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
        expect(await scene.status()).toMatchObject({ route: { side: 'batch' } });
      });
      expect(fake.calls).not.toContain('retireRole');
    },
  );

  it('begins no new generation if its capture is lost, too', async () => {
    const { fake, end } = withoutRow();
    fake.activities.catchUp = () => {
      end();
      return Promise.reject(failure('slot-lost', 'slot gone'));
    };
    await play(bench, fake.activities, aViewInput(), async (scene) => {
      await skipUntil(scene, (s) => s.blocked?.code === 'slot-lost');
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.blocked?.code === 'already-ended');
      expect(await scene.status()).toMatchObject({ generation: 1 });
      expect(fake.calls.filter((call) => call.startsWith('remove'))).toEqual([]);
      await scene.handle.signal('rollBack', back);
      expect(await scene.handle.result()).toMatchObject({ outcome: 'rolled-back' });
    });
  });
});
