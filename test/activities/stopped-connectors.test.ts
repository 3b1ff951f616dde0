// If a barrier is not reached, the reason names a connector that a person paused, stopped or
// deleted.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stoppedConnectors } from '../../src/activities/capture/connectors/describe-stopped-connectors.js';
import { skipping } from '../support/skipping.js';
import type { ConnectControl } from '../../src/clients/http/connect-control.js';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';

type Asked = Pick<ConnectControl, 'status' | 'config' | 'howToResume'>;

const howToResume = (name: string): string => new ConnectRest('http://connect').howToResume(name);

/** Connect's answers. `isStored` says whether Connect finds the configuration of the connector. */
const connect = (state: string | null, isStored = state !== null): Asked => ({
  status: () => Promise.resolve(state === null ? null : { connector: { state }, tasks: [] }),
  config: () => Promise.resolve(isStored ? {} : null),
  howToResume,
});
const asked = (rest: Asked): Promise<string> => skipping(stoppedConnectors(rest, ['c']));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a barrier that is not reached', () => {
  it.each([
    ['PAUSED', /connector c is PAUSED: resume it through Kafka Connect/],
    ['STOPPED', /connector c is STOPPED: resume it through Kafka Connect/],
    [null, /connector c no longer exists: it was deleted/],
  ])('names a connector whose state is %s (null: it was deleted)', async (state, said) =>
    expect(await asked(connect(state))).toMatch(said),
  );
  it('does not call a connector deleted if the Connect worker has just started', async () =>
    expect(await asked(connect(null, true))).toBe(''));
  it('names no connector if all are running, or if Connect does not answer', async () => {
    expect(await asked(connect('RUNNING'))).toBe('');
    const away = (): Promise<never> => Promise.reject(new Error('away'));
    expect(await asked({ status: away, config: away, howToResume })).toBe('');
  });
});
