// Tests how Sluice finds an attempt of an activity that makes no progress. Such an attempt fails,
// and changes nothing afterwards. The file also tests that the baseline reads no large table.
import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it, vi } from 'vitest';
import { rowsOf } from '../../src/activities/capture/baseline.js';
import {
  classifying,
  longestSilenceMs,
  proving,
} from '../../src/activities/runtime/interceptor.js';
import { beat, describing } from '../../src/activities/runtime/poll-until.js';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import { Progress, answered, reportData, tracked } from '../../src/clients/progress.js';
import { aRef, aSpecInput } from '../support/builders.js';

const clock = { now: 0 };
const LIMIT_MS = longestSilenceMs([]);

/**
 * Creates an activity's environment with Sluice's interceptors, which send a heartbeat every 2 ms.
 */
function anEnvironment(heartbeatTimeoutMs: number | undefined = 8): MockActivityEnvironment {
  clock.now = 0;
  const inbound = proving(() => new Progress(() => clock.now));
  return new MockActivityEnvironment(
    { activityType: 'takeBaseline', ...(heartbeatTimeoutMs ? { heartbeatTimeoutMs } : {}) },
    {
      interceptors: [
        () => ({ inbound: classifying({ renew: () => undefined }) }),
        () => ({ inbound }),
      ],
    },
  );
}
const forever = (): Promise<never> => new Promise(() => undefined);

describe('an activity with a heartbeat timeout', () => {
  it('sends heartbeats while it waits, although its own code sends none', async () => {
    const environment = anEnvironment();
    const beats = once(environment, 'heartbeat').then(() => once(environment, 'heartbeat'));
    await environment.run(async () => void (await beats));
  });
  it('sends the details that its code reports with its heartbeats', async () => {
    const environment = anEnvironment();
    const first = once(environment, 'heartbeat');
    await environment.run(() =>
      describing(
        () => ({ rows: 5 }),
        () => first,
      ),
    );
    expect(await first).toEqual([{ rows: 5 }]);
  });
  it('fails as unreachable if it gets no answer for the longest time that one call may take', async () => {
    const environment = anEnvironment();
    const running = environment.run(forever);
    clock.now = LIMIT_MS;
    await once(environment, 'heartbeat');
    clock.now = LIMIT_MS + 1;
    await expect(running).rejects.toMatchObject({
      type: 'unreachable',
      message: expect.stringContaining(
        'takeBaseline got no answer from any system for more than 11 min',
      ) as string,
    });
  });
  it('continues as long as it reports progress', async () => {
    const environment = anEnvironment();
    const ended = environment.run(async () => {
      for (let round = 0; round < 5; round += 1) {
        clock.now += LIMIT_MS;
        beat();
        await once(environment, 'heartbeat');
      }
      return 'done';
    });
    expect(await ended).toBe('done');
  });
  it('may be silent for the statement timeout of its spec plus a minute', () => {
    const usual = aSpecInput()['spec'] as { source: object };
    const limits = { statementTimeout: '2h' };
    const ref = aRef({ spec: { source: { ...usual.source, limits } } });
    expect(longestSilenceMs([ref])).toBe(121 * 60_000);
    expect(longestSilenceMs([{ ref, number: 1 }])).toBe(121 * 60_000);
    expect(longestSilenceMs([])).toBe(11 * 60_000);
  });
});

describe('an attempt that was abandoned', () => {
  it('ends at the next answer that it gets, so that it changes nothing more', async () => {
    const progress = new Progress();
    const effects: string[] = [];
    const attempt = tracked(progress, async () => {
      await answered(Promise.resolve());
      effects.push('first');
      progress.abandon();
      await answered(Promise.resolve());
      effects.push('second');
    });
    await expect(attempt).rejects.toThrow('another attempt took over');
    expect(effects).toEqual(['first']);
  });
  it('loses its connections to databases', async () => {
    const progress = new Progress();
    const stream = new PassThrough();
    tracked(progress, () => reportData(stream));
    progress.abandon();
    await once(stream, 'close');
    expect(stream.destroyed).toBe(true);
  });
  it('does not delay the window of the next attempt', async () => {
    const folds = new FoldCache(new FoldFiles(undefined), 1000);
    const progress = new Progress();
    void tracked(progress, () => folds.exclusive(aRef(), forever));
    const next = folds.exclusive(aRef(), () => Promise.resolve('measured'));
    progress.abandon();
    expect(await next).toBe('measured');
  });
});

describe('data that arrives on a connection', () => {
  it('counts as progress of the attempt that opened the connection', async () => {
    let now = 0;
    const progress = new Progress(() => now);
    const stream = new PassThrough();
    tracked(progress, () => reportData(stream));
    now = 5000;
    const read = once(stream as EventEmitter, 'data');
    stream.write('row');
    await read;
    expect(progress.silentMs).toBe(0);
  });
});

describe('the baseline', () => {
  it('does not read a large table, and says that its number of rows is an estimate', async () => {
    const query = vi.fn(() => Promise.resolve({ rows: [{ n: '7' }] }));
    const client = { query } as unknown as Parameters<typeof rowsOf>[0];
    const large = { bytes: 2 ** 40, rowsEstimate: 9_000_000 };
    expect(await rowsOf(client, large, 't')).toEqual({ rows: 9_000_000, isEstimate: true });
    expect(await rowsOf(client, { ...large, rowsEstimate: 0 }, 't')).toEqual({
      rows: null,
      isEstimate: true,
    });
    expect(query).not.toHaveBeenCalled();
    expect(await rowsOf(client, { bytes: 8192, rowsEstimate: 0 }, 't')).toEqual({ rows: 7 });
  });
});
