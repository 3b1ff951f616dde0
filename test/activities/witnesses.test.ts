// A witness is a temporary replication slot that shows which rows changed. Each worker keeps its
// witnesses in its own memory. If a different worker has the witness that a final window needs, the
// window's result says so. The window opens no connection to look for the witness.
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

describe('a final window on a worker that did not make the full pass', () => {
  it('has no witness and says why, and uses no connection to find out', async () => {
    expect(await hearWitness(finalWindow({ after: 7, orReadsAll: true }))).toEqual({
      refused:
        'this worker does not have the witness: another worker began it, or this worker was restarted',
    });
  });

  it('reports the given reason if its witness was refused before', async () => {
    const refused = 'changed since the full pass: the publication';
    const heard = await hearWitness(finalWindow({ after: 7, orReadsAll: true, refused }));
    expect(heard).toEqual({ refused });
  });

  it('records no proven rows, as if the witness had ended during the window', () => {
    const { witness, ref } = finalWindow({ after: 7, orReadsAll: false });
    expect(witness!.keeper.proven(ref, { window: 7, rows: new Map() }, '1:1:')).toBe(
      'the witness ended during the window',
    );
  });

  it('has no effect if it ends a witness that is on a different worker', async () => {
    const { witness, ref } = finalWindow({ after: 7, orReadsAll: false });
    await witness!.keeper.end(ref);
    expect(witness!.keeper.isWaiting(ref)).toBe(false);
  });
});
