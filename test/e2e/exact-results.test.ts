// Compares results at a still point, with real servers. Every window compares even the key that
// changes most often. The first window after planted faults finds all of them. The connector runs
// again, no matter where the worker of a window is killed.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { sluice } from '../support/sluice.js';
import { runUntilKilled } from '../faults/killed-activity.js';
import { BUCKETS, stillPipeline } from '../support/still-pipeline.js';

const NAME = 'still';
const { input, output, resultRows, nextWindow, send, flood, lastOf, isConnector, openPauses, ref } =
  stillPipeline(NAME);

const pendingActivities = (): string =>
  spawnSync(
    'temporal',
    [
      '--address',
      process.env['TEMPORAL_ADDRESS']!,
      'workflow',
      'describe',
      '-w',
      `migration-${NAME}`,
    ],
    { encoding: 'utf8' },
  ).stdout;

describe('a result that is compared at a still point', () => {
  it('passes every window, which compares every key, with a busy writer, a view and TOAST values', async () => {
    await sleepUntil('windows', async () => (await resultRows()).length >= 5);
    const rows = await resultRows();
    for (const row of rows)
      expect(row).toMatchObject({ mode: 'exact', verdict: 'passed', compared: BUCKETS });
    expect(rows.at(-1)!.reason).toMatch(/the connector was paused for \d+\.\d s, \d+ rows aligned/);
    expect(rows.some(({ reason }) => /[1-9]\d* rows aligned/.test(reason))).toBe(true);
  });

  it('shows a wrong value, a lost row and an extra row in one window, and no other difference', async () => {
    const [wrong, lost] = [await lastOf(30), await lastOf(40)];
    await send(output, [
      { key: { bucket: 30 }, value: { ...wrong, total: '0.01' } },
      { key: { bucket: 40 }, value: null },
      { key: { bucket: 999 }, value: { bucket: 999, n: 1, total: '1.00' } },
    ]);
    const found = await nextWindow();
    expect(found).toMatchObject({ mode: 'exact', verdict: 'failed' });
    expect(found).toMatchObject({ mismatched: 1, missing: 1, extraneous: 1, unknown: 0 });
    expect(found.matched).toBe(BUCKETS - 2);
    await send(output, [
      { key: { bucket: 30 }, value: wrong },
      { key: { bucket: 40 }, value: lost },
      { key: { bucket: 999 }, value: null },
    ]);
    expect(await nextWindow()).toMatchObject({ mode: 'exact', verdict: 'passed' });
  });

  it('is inconclusive while a foreign producer writes into an input topic, and the reason names this topic', async () => {
    // Tombstones of a row that does not exist change no result, but they move the ends of the
    // topic.
    const { stop } = await flood(input, { key: { id: 999_999_999 }, value: null });
    const foreign = await nextWindow();
    await stop();
    expect(foreign).toMatchObject({ mode: 'exact', verdict: 'inconclusive' });
    expect(foreign.reason).toMatch(
      /^no still point: still\.public\.accounts\/0 ended at .*; something other than the connector may be writing/,
    );
    expect(await nextWindow()).toMatchObject({ mode: 'exact', verdict: 'passed' });
  });

  it('leaves the connector running, no matter where the worker of its window is killed', async () => {
    sluice('pause', NAME);
    await sleepUntil('no window is running', () => !pendingActivities().includes('runWindow'));
    const args = [
      { ref: await ref(), number: 100_000, roundsMs: 45_000, isFull: false, since: null },
    ];
    const paused: number[] = [];
    // At a still point, the window makes these changes in order: it records the pause, pauses the
    // connector, writes the marker, resumes the connector, and closes the record of the pause.
    for (let at = 1; at <= 5; at += 1) {
      const from = 'INSERT INTO sluice.still_point';
      const died = runUntilKilled({ activity: 'runWindow', args, at, when: 'before', from });
      expect(died).toBeNull();
      if (await isConnector('PAUSED')) paused.push(at);
      await sleepUntil(`running again after ${at}`, () => isConnector('RUNNING'));
    }
    expect(paused).toEqual([3, 4]);
    sluice('resume', NAME);
    expect(await nextWindow()).toMatchObject({ mode: 'exact', verdict: 'passed' });
    expect(await openPauses()).toBe(0);
  }, 900_000);
});
