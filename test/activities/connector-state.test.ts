// A Connect worker that has just started knows no connector yet. A single answer that a connector
// is unknown never counts as a deletion, because Connect may report it as running a moment later.
// Also tests that a new configuration must be in use before its connector runs again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  reconfigure,
  stopSurely,
} from '../../src/activities/capture/connectors/connector-state.js';
import type { ObjectState } from '../../src/clients/ledger/ledger.js';
import { removeObject } from '../../src/activities/objects/kinds.js';
import type { Site } from '../../src/activities/objects/owned-kind.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';
import { skipping } from '../support/skipping.js';

/**
 * A Connect worker that does not know its connector for the first `unknownFor` requests. A `state`
 * of null means that the connector does not exist.
 */
function aConnect(state: string | null, unknownFor: number) {
  const world = { state, unknownFor, done: [] as string[] };
  const isKnown = (): boolean => world.state !== null && (world.unknownFor -= 1) < 0;
  const status = (): object | null =>
    isKnown()
      ? {
          connector: { state: world.state },
          tasks: world.state === 'RUNNING' ? [{ id: 0, state: 'RUNNING' }] : [],
        }
      : null;
  const change = (what: string, to: string | null): Promise<boolean> => {
    if (!isKnown()) return Promise.resolve(false);
    world.done.push(what);
    world.state = to;
    return Promise.resolve(true);
  };
  const rest = {
    config: () => Promise.resolve(isKnown() ? {} : null),
    status: () => Promise.resolve(status()),
    stop: () => change('stop', 'STOPPED'),
    delete: () => change('delete', null),
    offsets: () => Promise.resolve([]),
  };
  return { world, rest: rest as unknown as Parameters<typeof stopSurely>[0] };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a connector that Connect does not know', () => {
  it('is looked up again, and stopped as soon as Connect knows it', async () => {
    const { world, rest } = aConnect('RUNNING', 3);
    expect(await skipping(stopSurely(rest, 'c'))).toBe(true);
    expect(world).toMatchObject({ state: 'STOPPED', done: ['stop'] });
  });

  it('counts as deleted if it stays unknown', async () => {
    const { rest } = aConnect(null, 0);
    expect(await skipping(stopSurely(rest, 'c'))).toBe(false);
  });

  it('is deleted as soon as Connect knows it, and its removal is recorded only afterwards', async () => {
    const { world, rest } = aConnect('RUNNING', 1);
    const recorded: string[] = [];
    const ledger = {
      objectState: () => Promise.resolve('created'),
      setObjectState: (_ref: unknown, _object: unknown, state: ObjectState) =>
        Promise.resolve(recorded.push(`${state} while ${world.state ?? 'deleted'}`)),
    };
    const ref = aRef();
    const systems = { connect: () => rest };
    const site = { ref, plan: resolve(ref), ledger, systems } as unknown as Site;
    const object = { kind: 'connector', name: 'bank', where: 'http://connect' } as const;
    await skipping(removeObject(site, object));
    expect(world.done).toEqual(['stop', 'delete']);
    expect(recorded).toEqual(['removed while deleted']);
  });
});

describe('a connector with a new configuration', () => {
  const resumedAfter = (stored: { table: string }): Promise<string[]> => {
    const done: string[] = [];
    const running = { connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }] };
    const stopped = { connector: { state: 'STOPPED' }, tasks: [] };
    const rest = {
      config: () => Promise.resolve(done.includes('put') ? stored : { table: 'old' }),
      putConfig: () => Promise.resolve(void done.push('put')),
      resume: () => Promise.resolve(void done.push('resume')),
      status: () => Promise.resolve(done.includes('resume') ? running : stopped),
      stop: () => Promise.resolve(true),
    } as unknown as Parameters<typeof reconfigure>[0];
    return skipping(
      reconfigure(rest, 'sink', { table: 'new' }).then(
        () => done,
        (error: Error) => [...done, error.message],
      ),
    );
  };

  it('runs again as soon as Connect reports the new configuration', async () =>
    expect(await resumedAfter({ table: 'new' })).toEqual(['put', 'resume']));
  it('stays stopped, with an error, as long as Connect reports the earlier configuration', async () =>
    expect(await resumedAfter({ table: 'old' })).toEqual([
      'put',
      expect.stringContaining('accepted the new configuration of connector sink, but') as string,
    ]));
});
