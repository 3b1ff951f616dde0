// Kills a worker in the middle of a window: when it pauses or resumes the connector for a still
// point, begins, reads or ends a witness, or records its evidence. (A witness is a temporary slot
// that shows which rows changed.) The retried window must pass, as it would without the kill.
// Afterwards the connector runs, no pause is open, and the witness has left no slot.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { sleepUntil } from '../support/builders.js';
import { openWindowStage, type WindowStage } from './window-stage.js';

let stage: WindowStage;
let number = 0;

beforeAll(async () => {
  stage = await openWindowStage(`killed-windows-${process.pid}`);
  await sleepUntil('a window that passes', async () => {
    const { verdict } = await stage.window(aWindow({}));
    return verdict.verdict === 'passed';
  });
});
afterAll(() => stage.close());

/** Returns the input of the next window. */
function aWindow(more: Partial<WindowInput>): WindowInput {
  number += 1;
  const input = { ref: stage.ref, number, roundsMs: 45_000, isFull: true, since: null };
  return { ...input, still: 'paused', ...more };
}

/** Returns the windows of one case. The worker is killed in the last window. */
type Windows = () => WindowInput[];

/**
 * Selects the effects before and after which the worker is killed. An effect is a statement or a
 * request to another system. Its text matches `only`, and no effect before the first one that
 * contains `from` is selected.
 */
interface Counted {
  readonly only: string;
  readonly from?: string;
}

const finalWindow = (): WindowInput[] => {
  const ahead = aWindow({ witness: 'begin' });
  return [ahead, aWindow({ witness: { after: ahead.number, orReadsAll: true } })];
};

const CASES: readonly (readonly [what: string, counted: Counted, windows: Windows])[] = [
  ['a still point', { only: 'sluice.still_point|/pause$|/resume$' }, () => [aWindow({})]],
  [
    'the window before the fence, whose witness begins',
    { only: 'pg_create_logical|INSERT INTO sluice.(evidence|window_row)' },
    () => [aWindow({ witness: 'begin' })],
  ],
  [
    'the final window, which reads its witness and ends it',
    {
      only: 'sluice[.]witness|pg_logical_slot_get|end of the witness|INSERT INTO sluice.evidence',
      // The final window begins with a marker of this name. Before that, the witness is read every
      // few seconds, so the number of effects varies.
      from: 'sluice.witness',
    },
    finalWindow,
  ],
];

describe('a window whose worker is killed', () => {
  it.each(CASES)(
    'passes after its retry, and leaves neither an open pause nor a witness slot: killed in %s',
    { timeout: 1_800_000 },
    async (what, counted, windows) => {
      const effects = stage.crash({ windows: windows(), ...counted, at: 0, when: 'after' })!;
      expect(effects).toBeGreaterThan(0);
      let points = 0;
      for (let at = 1; at <= effects; at += 1)
        for (const when of ['before', 'after'] as const) {
          const point = `${what}, killed ${when} effect ${at} of ${effects}`;
          await stage.change();
          const inputs = windows();
          const reached = stage.crash({ windows: inputs, ...counted, at, when });
          // This run had fewer effects than the first one, so the worker was not killed. A window
          // repeats its request to resume only if necessary.
          if (reached !== null) {
            expect([point, reached < at]).toEqual([point, true]);
            continue;
          }
          const { verdict } = await stage.window(inputs.at(-1)!);
          expect([point, verdict.verdict, verdict.reason]).toEqual([
            point,
            'passed',
            expect.any(String),
          ]);
          expect({ point, ...(await stage.rest()) }).toEqual({
            point,
            openPauses: 0,
            connector: 'RUNNING',
          });
          points += 1;
        }
      expect(points).toBeGreaterThan(1);
      console.log(`crash points of windows: ${what}, ${effects} effects, ${points} survived`);
    },
  );
});
