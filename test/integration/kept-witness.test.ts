// Tests a witness that is kept from one window to the next, with a real table and a real topic. The
// test itself writes the topic, so it can leave out events.
import { describe, expect, it } from 'vitest';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import { windowsOf, witnessScene } from '../support/witness-scene.js';

const { kafka, scene } = witnessScene();

/**
 * Runs windows until one of them keeps a witness, and returns the number of that window. The first
 * window may keep no witness, because a transaction of a different test on this server may be open
 * for too long.
 */
async function keptFrom(
  first: number,
  { witness, ref }: ConnectedSession,
  window: ReturnType<typeof windowsOf>,
): Promise<number> {
  const { keeper } = witness!;
  for (let number = first; ; number += 1) {
    await window(keeper, number, 'keep');
    if (keeper.isWaiting(ref)) return number;
  }
}

describe('a witness that is kept between windows', () => {
  it('names the rows that changed since the last window, and finds those that the topic lost', async () => {
    const { client, write, session, witnesses } = await scene();
    const window = windowsOf(kafka, session);
    const later = async (number: number) => {
      const { subjects, witness } = await window(witnesses, number, 'keep', false);
      const { verdict, counts } = subjects[0]!;
      return { ...verdict, mismatched: counts!.mismatched, rested: witness!.rested };
    };
    const change = async (id: number, isLost = false): Promise<void> => {
      await client.query(`UPDATE a SET v = 'w' WHERE id = ${id}`);
      if (!isLost) await write('u', id, 'w');
    };
    const rested = (rows: string, since: number) => ({
      verdict: 'passed',
      mismatched: 0,
      rested: true,
      reason: expect.stringMatching(`read ${rows}, of .* changed since window ${since}, and`),
    });
    const first = await keptFrom(1, session, window);
    await change(3);
    await change(4);
    expect(await later(first + 1)).toEqual(rested('2 rows', first));
    await change(5);
    expect(await later(first + 2)).toEqual(rested('1 rows', first + 1));
    await change(6, true);
    expect(await later(first + 3)).toMatchObject({ verdict: 'failed', mismatched: 1 });
    await write('u', 6, 'w');
    const again = await keptFrom(first + 4, session, window);
    await change(7);
    expect(await later(again + 1)).toEqual(rested('1 rows', again));
  });

  it('names, in the next window, the rows of a transaction that was open during a window', async () => {
    const { client, session, witnesses } = await scene();
    const window = windowsOf(kafka, session);
    const first = await keptFrom(1, session, window);
    await client.query(`BEGIN; UPDATE a SET v = 'w' WHERE id = 3`);
    expect((await window(witnesses, first + 1, 'keep', false)).witness!.rested).toBe(true);
    await client.query('COMMIT');
    const { subjects, witness } = await window(witnesses, first + 2, 'keep', false);
    expect(witness!.rested).toBe(true);
    expect(subjects[0]).toMatchObject({
      verdict: { verdict: 'failed' },
      counts: { mismatched: 1 },
    });
  });

  it('is replaced by a scan, with the reason, and then by a new witness after its session ended', async () => {
    const { client, session, witnesses } = await scene();
    const window = windowsOf(kafka, session);
    const first = await keptFrom(1, session, window);
    await client.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'sluice/%/witness' AND datname = current_database()`,
    );
    const { subjects, witness } = await window(witnesses, first + 1, 'keep', false);
    expect(witness!.rested).toBe(false);
    expect(subjects[0]!.verdict).toEqual({
      verdict: 'passed',
      reason: expect.stringMatching(/because the witness cannot be used: the witness was lost/),
    });
    const again = await keptFrom(first + 2, session, window);
    expect((await window(witnesses, again + 1, 'keep', false)).witness!.rested).toBe(true);
  });
});
