// A window pauses the source connector to compare results at a still point. The pause must be in
// the ledger before it begins, and it must always end.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import {
  endLeftPauses,
  endOverduePause,
  whilePaused,
  withoutWindowPauses,
} from '../../src/activities/capture/connectors/connector-pause.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';

const ref = aRef();
const planned = { ref, plan: resolve(ref) };

interface Row {
  overdue: boolean;
  closed_by: string | null;
}

function aWorld(state = 'RUNNING', rows: Row[] = []) {
  const done: string[] = [];
  const atRecord = (): unknown => undefined;
  const world = { state, pausesTo: 'PAUSED', done, rows, unknownFor: 0, atRecord };
  const rest = {
    status: () =>
      Promise.resolve({
        connector: { state: world.state },
        tasks: [{ id: 0, state: world.state }],
      }),
    config: () => Promise.resolve((world.unknownFor -= 1) >= 0 ? null : {}),
    pause: () => {
      done.push('pause');
      world.state = world.pausesTo;
      return Promise.resolve();
    },
    resume: () => {
      done.push('resume');
      world.state = 'RUNNING';
      return Promise.resolve();
    },
  };
  const query = (sql: string, values: unknown[]): Promise<object[]> => {
    if (sql.includes('INSERT')) {
      done.push('record');
      world.atRecord();
      rows.push({ overdue: false, closed_by: null });
      return Promise.resolve([{ id: String(rows.length) }]);
    }
    if (sql.includes('UPDATE')) {
      done.push(`close by ${String(values[1])}`);
      rows[Number(values[0]) - 1]!.closed_by = String(values[1]);
      return Promise.resolve([]);
    }
    const found = rows.map((row, at) => ({ ...row, id: String(at + 1) })).reverse();
    return Promise.resolve(found.map((row) => ({ ...row, closed_ms: row.closed_by ? '1' : null })));
  };
  const deps = { ledger: { query }, systems: { connect: () => rest } } as unknown as Deps;
  return { world, deps };
}

const inActivity = <T>(run: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment().run<[], T, () => Promise<T>>(run);

describe('a connector that a window pauses', () => {
  it('is paused only after the pause was recorded, and runs again before the record is closed', async () => {
    const { world, deps } = aWorld();
    const stood = await inActivity(() =>
      whilePaused(deps, planned, 5000, () => Promise.resolve(world.state)),
    );
    expect(stood).toMatchObject({ ok: true, value: { value: 'PAUSED' } });
    expect(world.done).toEqual(['record', 'pause', 'resume', 'close by window']);
  });

  it('runs again if the comparison during the pause fails', async () => {
    const { world, deps } = aWorld();
    const fails = (): Promise<never> => Promise.reject(new Error('lost'));
    await expect(inActivity(() => whilePaused(deps, planned, 5000, fails))).rejects.toThrow('lost');
    expect(world.done.slice(2)).toEqual(['resume', 'close by window']);
  });

  it('does not count as deleted while a Connect worker that just started does not know it yet', async () => {
    const { world, deps } = aWorld();
    await inActivity(() =>
      whilePaused(deps, planned, 5000, () => Promise.resolve((world.unknownFor = 3))),
    );
    expect(world.unknownFor).toBeLessThan(0);
    expect(world.done).toEqual(['record', 'pause', 'resume', 'close by window']);
  });

  it('is left alone if it is not running, because a person may have paused it', async () => {
    const { world, deps } = aWorld('PAUSED');
    const stood = await inActivity(() =>
      whilePaused(deps, planned, 5000, () => Promise.resolve(1)),
    );
    expect(stood).toEqual({
      ok: false,
      reason: 'connector bank is not running: Connect reports PAUSED',
    });
    expect(world.done).toEqual([]);
  });

  it('is left alone if a person pauses it while the window records its own pause', async () => {
    const { world, deps } = aWorld();
    world.atRecord = () => (world.state = 'PAUSED');
    const stood = await inActivity(() =>
      whilePaused(deps, planned, 5000, () => Promise.resolve(1)),
    );
    expect(stood).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/is not running.*PAUSED/) as string,
    });
    expect(world.done).toEqual(['record', 'close by window']);
  });

  it('stays stopped if a person stops it, before or after the pause takes effect', async () => {
    const { world, deps } = aWorld();
    const stops = (): Promise<string> => Promise.resolve((world.state = 'STOPPED'));
    const stood = await inActivity(() => whilePaused(deps, planned, 5000, stops));
    expect(stood).toMatchObject({ ok: true });
    expect(world.done).toEqual(['record', 'pause', 'close by window']);
    const early = aWorld();
    early.world.pausesTo = 'STOPPED';
    expect(await inActivity(() => whilePaused(early.deps, planned, 5000, stops))).toEqual({
      ok: false,
      reason: 'connector bank was stopped while a window paused it',
    });
    expect(early.world.state).toBe('STOPPED');
  });

  it('is resumed if it does not pause in time, and the reason is returned', async () => {
    const { world, deps } = aWorld();
    world.pausesTo = 'FAILED';
    const stood = await inActivity(() => whilePaused(deps, planned, 100, () => Promise.resolve(1)));
    expect(stood).toEqual({
      ok: false,
      reason: 'connector bank did not pause in time: Connect reports FAILED',
    });
    expect(world.done.slice(2)).toEqual(['resume', 'close by window']);
  });
});

describe('a connector that is found paused or stopped', () => {
  const open = { overdue: false, closed_by: null };

  it('is resumed by the guard once the pause of its window is overdue, and not before', async () => {
    const early = aWorld('PAUSED', [{ ...open }]);
    expect(await endOverduePause(early.deps, planned)).toBeNull();
    const late = aWorld('PAUSED', [{ ...open, overdue: true }]);
    expect(await endOverduePause(late.deps, planned)).toBe('bank');
    expect(late.world.done).toEqual(['resume', 'close by guard']);
  });

  it('is resumed at once by the next attempt of its window', async () => {
    const { world, deps } = aWorld('PAUSED', [{ ...open }]);
    expect(await endLeftPauses(deps, planned)).toBe(true);
    expect(world.done).toEqual(['resume', 'close by successor']);
  });

  it('stays stopped if a person stopped it after the worker of its window had died', async () => {
    const { world, deps } = aWorld('STOPPED', [{ ...open, overdue: true }]);
    expect(await endOverduePause(deps, planned)).toBeNull();
    expect(await endLeftPauses(deps, planned)).toBe(false);
    expect(world.done).toEqual(['close by successor']);
  });

  it('stays paused if no window recorded the pause', async () => {
    const { world, deps } = aWorld('PAUSED');
    expect(await endOverduePause(deps, planned)).toBeNull();
    expect(await endLeftPauses(deps, planned)).toBe(false);
    expect(world.done).toEqual([]);
  });

  it('counts as running if a window has paused it, and as paused if a person has paused it', async () => {
    const stateOf = async (rows: Row[]): Promise<unknown> =>
      (await withoutWindowPauses(aWorld('PAUSED', rows).deps, planned).status('bank'))?.connector
        .state;
    expect(await stateOf([{ ...open }])).toBe('RUNNING');
    expect(await stateOf([])).toBe('PAUSED');
  });
});
