// A witness is a temporary replication slot that shows which rows change. Tests that it outlives
// its window only if a later window can use it. The role of a window says how it uses a witness: it
// begins one (`begin`), keeps one for the next window (`keep`), or is the final window.
import { describe, expect, it } from 'vitest';
import { endingWitness } from '../../src/activities/windows/witness/witness-of-window.js';
import type { WitnessRole } from '../../src/activities/windows/session.js';
import type { VerdictName } from '../../src/domain/evidence/verdict.js';
import { aRef } from '../support/builders.js';

interface Case {
  readonly role?: WitnessRole;
  readonly verdicts?: readonly VerdictName[];
  readonly isProven?: boolean;
}

/** Returns whether the witness of a run still exists after this window. */
async function isKeptAfter({ role, verdicts, isProven = true }: Case): Promise<boolean> {
  const ref = aRef({});
  let isKept = true;
  const keeper = { isWaiting: () => isProven, end: () => Promise.resolve(void (isKept = false)) };
  const session = { ref, witness: role && ({ role, keeper } as never) };
  await endingWitness(keeper, session, () =>
    verdicts
      ? Promise.resolve({
          subjects: verdicts.map((verdict) => ({ verdict: { verdict, reason: 'found' } })),
        })
      : Promise.reject(new Error('cancelled')),
  ).catch(() => undefined);
  return isKept;
}

describe('a witness', () => {
  it('is kept for the final window if the window before the fence passed', async () => {
    expect(await isKeptAfter({ role: 'begin', verdicts: ['passed', 'passed'] })).toBe(true);
  });

  it('is kept for the next window after a passed window with the role `keep`', async () => {
    expect(await isKeptAfter({ role: 'keep', verdicts: ['passed'] })).toBe(true);
  });

  it.each<[string, Case]>([
    ['with the role `keep` that failed', { role: 'keep', verdicts: ['failed'] }],
    ['in which a subject did not pass', { role: 'begin', verdicts: ['passed', 'inconclusive'] }],
    [
      'that passed, but recorded no rows as proven',
      { role: 'begin', verdicts: ['passed'], isProven: false },
    ],
    ['that was cancelled', { role: 'begin' }],
    ['that was the final one', { role: { after: 7, orReadsAll: true }, verdicts: ['passed'] }],
    ['that has no role for a witness', { verdicts: ['passed'] }],
  ])('ends with a window %s', async (_, window) => {
    expect(await isKeptAfter(window)).toBe(false);
  });
});
