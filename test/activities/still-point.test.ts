// At a still point, the pipeline has processed its whole input. Two equal readings of the offsets
// prove it. Sluice does not pause the connector if a pause could not lead to a still point.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { slowness } from '../../src/activities/windows/results/exact/before-pause.js';
import { takeStillPoint } from '../../src/activities/windows/results/exact/still-point.js';
import type { ConnectedSession, StandsStill } from '../../src/activities/windows/session.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';

const OUTPUT = 'out';

/** A session whose topics end where `endOf` says. `said` contains the statements that it ran. */
function aSession(endOf: (topic: string) => number, still: StandsStill = 'fenced') {
  const said: string[] = [];
  const ref = aRef();
  const client = {
    query: (sql: string) => {
      said.push(sql);
      return Promise.resolve({ rows: [{ lsn: '0/1', snapshot: '5:5:' }] });
    },
  };
  const kafka = {
    offsets: (topic: string) => {
      const high = endOf(topic);
      return Promise.resolve([{ partition: 0, low: 0, high, committed: high, epoch: 0 }]);
    },
    describeGroup: () => Promise.resolve({ unknown: 'it is rebalancing' }),
  };
  const systems = { connect: () => ({}) };
  const session = {
    ref,
    plan: resolve(ref),
    deps: { systems },
    kafka,
    reader: client,
    side: client,
    still,
    roundsMs: 60_000,
  } as unknown as ConnectedSession;
  return { session, said };
}

const inActivity = <T>(run: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment().run<[], T, () => Promise<T>>(run);

describe('a still point', () => {
  it('is found at the first attempt if nothing moves, and its snapshot stays open', async () => {
    const { session, said } = aSession(() => 7);
    const point = await inActivity(() => takeStillPoint(session, [OUTPUT]));
    expect(point).toMatchObject({ snapshotText: '5:5:', stoodMs: null });
    expect(said.filter((sql) => /^(BEGIN|ROLLBACK)/.test(sql))).toHaveLength(1);
  });

  it('is not found if the output still grows after the pipeline was drained', async () => {
    let high = 7;
    const { session, said } = aSession((topic) => (topic === OUTPUT ? (high += 1) : 7), 'unpaused');
    const point = await inActivity(() => takeStillPoint(session, [OUTPUT]));
    expect(point).toMatchObject({
      moved: 'output',
      why: expect.stringMatching(/^the pipeline was drained, but out\/0 ended at/) as string,
    });
    expect(said.filter((sql) => sql === 'ROLLBACK')).toHaveLength(1);
  });

  it('is not found if the input moves between the two readings', async () => {
    let reads = 0;
    const { session } = aSession((topic) => {
      if (topic === OUTPUT) reads += 1;
      return topic === OUTPUT ? 7 : reads;
    }, 'unpaused');
    expect(await inActivity(() => takeStillPoint(session, [OUTPUT]))).toMatchObject({
      moved: 'input',
    });
  });
});

describe('a pipeline that may be slower than the longest pause', () => {
  const withPipeline = (still: StandsStill): ConnectedSession => {
    const ref = aRef({ spec: BATCH_PARTS });
    return { ...aSession(() => 7, still).session, ref, plan: resolve(ref) };
  };

  it("is measured again without a pause, and the window's reason names maxPause", async () => {
    const session = withPipeline('paused');
    expect(await inActivity(() => slowness(session, 30_000))).toMatch(
      /^the pipeline needs longer than maxPause 10s: drain: .*rebalancing/,
    );
  });

  it('is not measured if the last barrier was quick, or if nothing is paused', async () => {
    const { kafka: _none, ...blind } = withPipeline('paused');
    expect(await slowness(blind as ConnectedSession, 10_000)).toBeNull();
    expect(await slowness({ ...blind, still: 'fenced' } as ConnectedSession, 30_000)).toBeNull();
  });
});
