// Each worker keeps its witnesses in its own memory. A worker that does not hold the one that a final
// window needs says so, and touches neither the source nor the other worker's witness.
import { describe, expect, it } from 'vitest';
import { hearWitness } from '../../src/activities/windows/witness/witness-of-window.js';
import { Witnesses } from '../../src/activities/windows/witness/witnesses.js';
import type { ConnectedReading, HearsWitness } from '../../src/activities/windows/session.js';
import { aPlan, aRef } from '../support/builders.js';

/** A final window on a worker that did not make the full pass. Every use of a connection throws. */
function finalWindow(role: HearsWitness): ConnectedReading {
  const untouched = new Proxy({}, { get: () => expect.unreachable('a connection was used') });
  const keeper = new Witnesses(() => expect.unreachable('a secret was read'));
  return {
    ref: aRef(),
    plan: aPlan(),
    reader: untouched,
    side: untouched,
    witness: { keeper, role },
  } as unknown as ConnectedReading;
}

describe('a final window on another worker than the full pass', () => {
  it('has no witness and says why, and touches nothing', async () => {
    expect(await hearWitness(finalWindow({ after: 7, orReadsAll: true }))).toEqual({
      refused: 'the worker that had the witness is gone, or is another one',
    });
  });

  it('keeps the reason that it was given, if the witness does not count anyway', async () => {
    const refused = 'changed since the full pass: the publication';
    const heard = await hearWitness(finalWindow({ after: 7, orReadsAll: true, refused }));
    expect(heard).toEqual({ refused });
  });

  it('can end the witness of a run that it does not hold', async () => {
    const { witness, ref } = finalWindow({ after: 7, orReadsAll: false });
    await witness!.keeper.end(ref);
    expect(witness!.keeper.isWaiting(ref)).toBe(false);
  });
});
