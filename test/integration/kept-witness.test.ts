// Tests a witness that is kept from one window to the next, with a real table and a real topic. (A
// witness is a temporary slot that shows which rows changed.) The test itself writes to the topic,
// so it can leave out events.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { WORTH_IT_ROWS } from '../../src/activities/windows/tables/changed-rows.js';
import { wordsOf } from '../../src/activities/windows/witness/pass-witnessed.js';
import { keyOf } from '../../src/compare/enc/key-table.js';
import type { HashFold } from '../../src/compare/hash-fold.js';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import { windowsOf, witnessScene } from '../support/witness-scene.js';

const { kafka, scene } = witnessScene();

/**
 * Runs windows until one of them keeps a witness, and returns the number of that window. The first
 * window may keep none: the witness waits for open transactions, and a transaction of a different
 * test on this server may be open for too long.
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

/**
 * Returns the id of a row that window `number` reads in its scrub. The window must have a witness,
 * because the scrub of a window without a witness has other rows.
 */
async function scrubbedIn(number: number, client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM a WHERE ctid >= format('(%s,1)', pg_relation_size('a') / 8192 * ${number} / 100)::tid LIMIT 1`,
  );
  return rows[0]!.id;
}

describe('a witness that is kept between windows', () => {
  it('names the rows that changed since the last window, so that a change without a record is found', async () => {
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

  it('ends, and every row is read, if a window finds that a row which passed before is now unequal', async () => {
    const { client, topic, write, session, witnesses } = await scene(WORTH_IT_ROWS + 1000);
    const window = windowsOf(kafka, session);
    const first = await keptFrom(1, session, window);
    const id = await scrubbedIn(first + 3, client);
    const { table } = session.folds.ofTable(session.ref, topic) as HashFold;
    const key = keyOf(wordsOf(String(id)));
    const setHash = ([high, low]: [number, number]) => void table.set(key, high, low);
    const old = table.rowOf(table.find(key));
    await client.query(`UPDATE a SET v = 'w' WHERE id = ${id}`);
    await write('u', id, 'w');
    await window(witnesses, first + 1, 'keep', false);
    const now = table.rowOf(table.find(key));
    // The full window misses the difference, because the test gives it a wrong hash of the record.
    // The next window gets the right hash, so only reading the row again can find the difference.
    await client.query(`UPDATE a SET v = 'v' WHERE id = ${id}`);
    setHash(old);
    const kept = await keptFrom(first + 2, session, window);
    expect(kept).toBe(first + 2);
    setHash(now);
    const { subjects, witness } = await window(witnesses, kept + 1, 'keep', false);
    expect(witness!.rested).toBe(false);
    expect(subjects[0]).toMatchObject({
      verdict: { verdict: 'failed' },
      counts: { mismatched: 1 },
    });
  });

  it('is replaced by a full pass, and then by a new witness, if its session ends; the reason says so', async () => {
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
