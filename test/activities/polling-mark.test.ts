// Tests the barrier of a polled table in mode bulk. In this mode, each poll reads the whole table.
// The barrier holds only if a complete poll has seen everything that the window's snapshot sees.
import { MockActivityEnvironment } from '@temporalio/testing';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { markPolled } from '../../src/activities/capture/polling/polling-mark.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';
import { polling } from '../support/polled.js';
import { skipping } from '../support/skipping.js';

const BULK = {
  url: 'http://localhost:8083',
  mode: 'bulk',
  timestampColumns: undefined,
  incrementingColumn: undefined,
  delay: undefined,
};
const ref = aRef({ spec: polling(BULK) });
const plan = resolve(ref);

/** A session of Postgres with this snapshot. */
const session = (snapshot: string): pg.ClientBase =>
  ({
    getTransactionStatus: () => 'T',
    query: () => Promise.resolve({ rows: [{ snapshot, lsn: '0/1' }] }),
  }) as unknown as pg.ClientBase;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Waits for the barrier of a snapshot while Connect stores these offsets, one after the other. */
async function barrier(snapshot: string, ...stored: object[]): Promise<string | null> {
  const offsets = (): Promise<object[]> =>
    Promise.resolve([stored.length > 1 ? stored.shift()! : stored[0]!]);
  const deps = { systems: { connect: () => ({ offsets }) } } as unknown as Deps;
  const at = { snapshot: session(snapshot), side: session(snapshot), token: '' };
  const capture = { polling: pollingOf(ref.spec) } as Parameters<typeof markPolled>[3];
  const mark = await markPolled(deps, { ref, plan }, at, capture);
  return skipping(
    new MockActivityEnvironment().run<[], string | null, () => Promise<string | null>>(() =>
      mark.reached(Date.now() + 2000),
    ),
  );
}

describe('the barrier of a table that is polled completely', () => {
  it('holds when the last complete poll has seen what the snapshot sees, even if a newer poll is running', async () => {
    const old = { poll: 6, whole: false, seen: '15:15:' };
    expect(await barrier('20:22:20', old, { poll: 7, whole: true, seen: '22:25:' })).toBeNull();
    expect(await barrier('20:22:20', { poll: 7, whole: false, seen: '20:22:20' })).toBeNull();
  });

  it('is not proven by the number of polls, because Connect stores that number late', async () => {
    const late = { poll: 90, whole: true, seen: '19:21:19' };
    expect(await barrier('20:22:20', { poll: 10, whole: true, seen: '15:15:' }, late)).toMatch(
      /stored a poll with snapshot 19:21:19, and a complete poll after snapshot 20:22:20 is needed/,
    );
  });

  it('does not hold if the window sees a transaction that was still open during the poll', async () => {
    const open = { poll: 7, whole: true, seen: '18:30:18' };
    expect(await barrier('20:22:20', open)).toMatch(/snapshot 18:30:18/);
  });

  it('does not hold if the connector stores no snapshot', async () => {
    expect(await barrier('20:22:20', { poll: 7, whole: true })).toMatch(
      /stored poll 7 without its snapshot .use the JDBC source of this version of Sluice/,
    );
  });
});
