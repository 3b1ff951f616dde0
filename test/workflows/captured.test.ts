// Tests what a run does after a window has found that the changes of a compared table are no longer
// captured. Also tests a deleted connector and a rewritten table.
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { storageFact } from '../../src/domain/evidence/epoch.js';
import { aWorkflowInput, approve, result } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

const NARROWED = {
  code: 'capture-changed',
  detail: 'publication p no longer carries updates of public.accounts',
  remedy: 'ALTER PUBLICATION p …',
} as const;
const GONE = {
  code: 'connector-gone',
  detail: 'deleted from Kafka Connect: connector m',
  remedy: 'sluice retry creates it again',
} as const;

describe('a migration', () => {
  it("is blocked while a table's changes are not captured, shows the SQL remedy, and continues by itself", async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.captureProblem = NARROWED;
      fake.facts = { 'publication p carries': ['inserts of public.accounts'] };
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.blocked !== null);
      expect((await scene.status()).blocked).toMatchObject(NARROWED);
      expect(fake.calls).not.toContain('fence');
      fake.captureProblem = null;
      await skipUntil(scene, (s) => s.needsApproval && s.blocked === null);
      expect((await scene.status()).epoch).toBe(2);
      const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit.filter((e) => e.kind === 'epoch').map((e) => e.detail)).toEqual([
        expect.stringContaining('publication p carries'),
      ]);
    });
  });

  it.each([NARROWED, GONE])(
    'is shown as unblocked in the ledger when it continues after $code, not only when its phase ends',
    async (problem) => {
      const recorded: Status[] = [];
      const fake = fakes({
        record: (_ref, status) => {
          recorded.push(status);
          return Promise.resolve();
        },
      });
      await play(bench, fake.activities, aWorkflowInput({ passesInARow: 1000 }), async (scene) => {
        await skipUntil(scene, (s) => s.phase === 'validate');
        fake.captureProblem = problem;
        await skipUntil(scene, (s) => s.blocked !== null);
        expect(recorded.at(-1)).toMatchObject({ phase: 'validate', blocked: problem });
        fake.captureProblem = null;
        await scene.handle.signal('retry');
        await skipUntil(scene, (s) => s.blocked === null);
        expect(recorded.at(-1)).toMatchObject({ phase: 'validate', blocked: null });
      });
    },
  );

  it('accepts a retry that arrives while the run still writes the block into the ledger', async () => {
    const asked: Promise<void>[] = [];
    let retry = (): Promise<void> => Promise.resolve();
    const fake = fakes({
      record: async (_ref, { blocked }) => {
        if (!blocked || asked.length > 0) return;
        fake.captureProblem = null;
        asked.push(retry());
        await asked[0];
      },
    });
    await play(bench, fake.activities, aWorkflowInput({ passesInARow: 1000 }), async (scene) => {
      retry = () => scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.phase === 'validate');
      fake.captureProblem = GONE;
      await skipUntil(scene, (s) => asked.length === 1 && s.blocked === null);
    });
  });

  it('recreates a deleted connector after `retry`, and not before', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.captureProblem = GONE;
      await skipUntil(scene, (s) => s.blocked?.code === 'connector-gone');
      const made = (): number => fake.calls.filter((call) => call === 'ensureConnector').length;
      const before = made();
      await scene.env.sleep('5h');
      expect(made()).toBe(before);
      fake.captureProblem = null;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.blocked === null && made() > before);
      expect(made()).toBe(before + 1);
    });
  });

  it('releases the fence at once if the final window finds a capture problem, and waits for no person', async () => {
    const fake = fakes();
    fake.activities.fence = () => {
      fake.captureProblem = NARROWED;
      return Promise.resolve({ lsn: '0/3', refused: null });
    };
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.blocked !== null);
      expect(fake.calls.indexOf('releaseFence')).toBeGreaterThan(fake.calls.indexOf('fence'));
      expect((await scene.status()).phase).toBe('validate');
    });
  });

  it('keeps epoch and approval if a table was only rewritten, and records that a window read every row', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      aWorkflowInput({}, { cutover: { approval: { quorum: 2 } } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        fake.facts = {
          ...fake.facts,
          [storageFact('public.accounts')]: ['public.accounts in file 2'],
        };
        await skipUntil(scene, () => fake.calls.filter((c) => c === 'runWindow').length > 8);
        await approve(scene.handle, { approver: 'bob' });
        expect(await result(scene.handle)).toMatchObject({ outcome: 'migrated' });
        expect((await scene.status()).epoch).toBe(1);
        const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
        expect(
          audit.some(
            (e) => e.kind === 'full-window' && e.detail.includes('storage of public.accounts'),
          ),
        ).toBe(true);
      },
    );
  });
});
