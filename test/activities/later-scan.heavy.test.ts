// Tests the wait for a scan that began after the initial load, before overwritten changes are
// repeated. The connector is stopped for that, so it could otherwise lose the scan.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { untilScanEnds } from '../../src/activities/capture/load/later-scan.js';
import { toFailure } from '../../src/activities/runtime/application-failure.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';
import { skipping } from '../support/skipping.js';

const ref = aRef();
const run = { ref, plan: resolve(ref) };
const notification = (type: string): Buffer =>
  Buffer.from(JSON.stringify({ aggregate_type: 'Incremental Snapshot', type }));

interface World {
  readonly notified: Buffer[];
  /** The signals that were sent. */
  readonly signals: string[];
  markers: number;
}

/** Waits while the connector is in this state. `onSignal` is called after each signal. */
async function wait(
  types: readonly string[],
  state: string | null = 'RUNNING',
  onSignal: (world: World) => void = () => undefined,
): Promise<World & { ended: unknown }> {
  const world: World = { notified: types.map(notification), signals: [], markers: 0 };
  const kafka = {
    offsets: () => Promise.resolve([{ partition: 0, low: 0, committed: world.notified.length }]),
    readRange: (...[, , from, to, visit]: Parameters<KafkaReader>) => {
      world.notified.slice(from, to).forEach((value, at) => {
        visit(from + at, value, -1, -1, 0, value.length);
      });
      return Promise.resolve(to - from);
    },
    openWriter: () => ({
      write: (topic: string) => Promise.resolve(void world.signals.push(topic)),
      flush: () => Promise.resolve(onSignal(world)),
    }),
  };
  const rest = {
    status: () => Promise.resolve(state && { connector: { state }, tasks: [] }),
    config: () => Promise.resolve(state && {}),
    howToResume: () => 'resume it',
  };
  const client = {
    query: (sql: string) => {
      if (sql.includes('emit_message')) world.markers += 1;
      return Promise.resolve({ rows: [{ it: '7' }] });
    },
  };
  const systems = { rest, kafka, client } as unknown as Parameters<typeof untilScanEnds>[0];
  const ended = await skipping(untilScanEnds(systems, run)).catch((error: unknown) => error);
  return { ...world, ended };
}
type KafkaReader = (
  topic: string,
  partition: number,
  from: number,
  to: number,
  visit: (...record: [number, Buffer, number, number, number, number]) => void,
) => Promise<number>;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a scan that began after the load', () => {
  it.each(['COMPLETED', 'ABORTED'])('is over if its last notification is %s', async (end) => {
    const { ended, signals } = await wait(['STARTED', 'COMPLETED', 'STARTED', end]);
    expect([ended, signals]).toEqual([undefined, []]);
  });

  it('is signaled again if the connector has forgotten it, and gets markers meanwhile', async () => {
    const { ended, signals, markers } = await wait(['STARTED'], 'RUNNING', ({ notified }) => {
      notified.push(notification('STARTED'), notification('COMPLETED'));
    });
    expect([ended, signals]).toEqual([undefined, [run.plan.names.signalTopic]]);
    expect(markers).toBeGreaterThan(0);
  });

  it('fails the load if the connector reports no end of it, however often it is signaled', async () => {
    const { ended, signals } = await wait(['STARTED']);
    expect(ended).toMatchObject({ code: 'snapshot-failed' });
    expect(ended).toMatchObject({ message: /does not report the end of this scan/ });
    expect(signals).toHaveLength(10);
  });

  it('blocks the run without further attempts if the connector was deleted', async () => {
    const failure = toFailure((await wait(['STARTED'], null)).ended);
    expect(failure).toMatchObject({ type: 'connector-gone', nonRetryable: true });
  });

  it.each([
    [null, 'connector-gone', /was deleted during the load/],
    ['PAUSED', 'connector-paused', /is PAUSED during the load/],
  ])('is not waited for if the connector is %s (null: deleted)', async (state, code, message) => {
    const { ended, signals } = await wait(['STARTED'], state);
    expect(ended).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(signals).toEqual([]);
  });
});
