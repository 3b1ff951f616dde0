// Kills a worker before or after an effect of an activity. An effect changes something outside the
// process. After the retry, the state must be the same as without the kill. By default, this file
// tests twenty such kills ("points"), and the selection changes every hour.
// SLUICE_CRASH_POINTS=all tests all of them (npm run test:faults).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashCases, sharedTableCases, type CrashCase } from '../faults/crash-cases.js';
import { openStage, type Stage } from '../faults/stage.js';

const isAll = process.env['SLUICE_CRASH_POINTS'] === 'all';
const POINTS = Number(isAll ? Infinity : (process.env['SLUICE_CRASH_POINTS'] ?? 20));
const first = Number(process.env['SLUICE_CRASH_FIRST'] ?? Math.floor(Date.now() / 3_600_000));
let [stage, shared]: Stage[] = [];

beforeAll(async () => {
  console.log(`crash points: repeat this run with SLUICE_CRASH_FIRST=${first}`);
  stage = await openStage('crashy');
  shared = await openStage('crashy-table', true);
});
afterAll(async () => {
  await shared?.close();
  await stage?.close();
});

/** Runs the activity without a kill. Returns the state after it, and the number of its effects. */
async function undisturbed(
  stage: Stage,
  one: CrashCase,
): Promise<{ world: object; effects: number }> {
  await one.before();
  const effects = stage.crash(one.activity, one.args, 0, 'after')!;
  const world = await stage.world();
  await one.after();
  return { world, effects };
}

async function survives(
  stage: Stage,
  one: CrashCase,
  at: number,
  when: 'before' | 'after',
  wanted: object,
): Promise<void> {
  const point = `${one.activity}, killed ${when} effect ${at}`;
  await one.before();
  expect([point, stage.crash(one.activity, one.args, at, when)]).toEqual([point, null]);
  await stage.act(one.activity, ...one.args);
  expect({ point, world: await stage.world() }).toEqual({ point, world: wanted });
  await one.after();
}

/**
 * Picks up to three points of each case, so that a run covers many activities. The selection
 * changes every hour.
 */
function someOf<T>(all: readonly T[]): T[] {
  // without effects, there is no point at which to kill the activity
  if (all.length === 0) return [];
  const third = Math.ceil(all.length / 3);
  return [...new Set([0, 1, 2].map((k) => all[(first + k * third) % all.length]!))];
}

describe('an activity whose worker is killed at an effect', () => {
  it('leaves the same state after its retry as without the kill', async () => {
    for (const on of [stage!, shared!])
      await on.act('openMigration', {
        input: on.ref.spec,
        workflowId: on.ref.workflowId,
        runKey: on.ref.runKey,
      }); // every case needs the migration's entry in the ledger
    const cases = [
      ...crashCases(stage!).map((one) => ({ on: stage!, one })),
      ...sharedTableCases(shared!).map((one) => ({ on: shared!, one })),
    ];
    let points = 0;
    for (let n = 0; n < cases.length && points < POINTS; n += 1) {
      const { on, one } = cases[(n + first) % cases.length]!;
      const { world, effects } = await undisturbed(on, one);
      const all = Array.from({ length: effects }, (_, e) => [e + 1, 'before'] as const).concat(
        Array.from({ length: effects }, (_, e) => [e + 1, 'after'] as never),
      );
      for (const [at, when] of (isAll ? all : someOf(all)).slice(0, POINTS - points)) {
        await survives(on, one, at, when, world);
        points += 1;
      }
      if (isAll)
        console.log(
          `crash points: ${on.ref.name} ${one.activity}, ${effects} effects, ${points} points so far`,
        );
    }
    console.log(`crash points: the activities survived ${points} kills`);
    expect(points).toBeGreaterThanOrEqual(isAll ? 100 : 20);
  }, 3_600_000);
});
