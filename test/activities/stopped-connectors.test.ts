// If a barrier is not reached, the reason names a connector that a person paused, stopped or
// deleted.
import { describe, expect, it } from 'vitest';
import { stoppedConnectors } from '../../src/activities/capture/stopped-connectors.js';
import type { ConnectRest } from '../../src/clients/http/connect-rest.js';

const connect = (state: string | null): Pick<ConnectRest, 'status'> => ({
  status: () => Promise.resolve(state === null ? null : { connector: { state }, tasks: [] }),
});

describe('a barrier that is not reached', () => {
  it.each([
    ['PAUSED', /connector c is PAUSED: resume it through Kafka Connect/],
    ['STOPPED', /connector c is STOPPED: resume it through Kafka Connect/],
    [null, /connector c does not exist any more: it was deleted/],
  ])('names a connector that is %s', async (state, said) =>
    expect(await stoppedConnectors(connect(state), ['c'])).toMatch(said),
  );
  it('says nothing about a connector that runs, or if Connect does not answer', async () => {
    expect(await stoppedConnectors(connect('RUNNING'), ['c'])).toBe('');
    expect(
      await stoppedConnectors({ status: () => Promise.reject(new Error('away')) }, ['c']),
    ).toBe('');
  });
});
