// Tests the upper limit for the transaction ids of the records in a topic. A record with an id over
// this limit is from a transaction that this server does not have. Such a record counts as visible,
// so that the window compares it and reports a difference.
import { describe, expect, it } from 'vitest';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { boundedNow } from '../../src/activities/windows/tables/visibility.js';
import { isVisible, parseSnapshot } from '../../src/domain/values/position.js';

const EPOCH = 2 ** 32;

/** A session on a source whose next transaction has this id. */
const sourceAt = (id: number): Pick<SourceClient, 'query'> =>
  ({ query: () => Promise.resolve({ rows: [{ before: String(id) }] }) }) as never;

describe.each([1000, EPOCH + 1000])('if transactions below %d ended, a snapshot', (ended) => {
  const next = ended + 50;
  const sees = async (id: number): Promise<boolean> =>
    isVisible(id % EPOCH, await boundedNow(sourceAt(next), parseSnapshot(`${ended}:${ended}:`)));

  it('does not see a record whose commit still waits for a synchronous standby', async () => {
    for (const id of [ended, ended + 1, next - 1]) expect(await sees(id)).toBe(false);
    expect(await sees(ended - 1)).toBe(true);
  });

  it('sees a record of a transaction that the server lost in a failover', async () => {
    for (const id of [next, next + 1000]) expect(await sees(id)).toBe(true);
  });
});
