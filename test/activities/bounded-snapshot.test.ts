// Tests the upper limit for the transaction ids of the records in a topic.
import { describe, expect, it } from 'vitest';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { boundedNow } from '../../src/activities/windows/tables/visibility.js';
import { isVisible, parseSnapshot } from '../../src/domain/values/position.js';

const EPOCH = 2 ** 32;

/** A session on a source whose last ended transaction has the id before `xmax`. */
const sourceAt = (xmax: number): Pick<SourceClient, 'query'> =>
  ({ query: () => Promise.resolve({ rows: [{ before: String(xmax) }] }) }) as never;

describe('a record whose commit still waits for a synchronous standby', () => {
  it.each([1000, EPOCH + 1000])(
    'is not seen by a snapshot, because its transaction has not ended, with the counter at %d',
    async (xmax) => {
      const snapshot = await boundedNow(sourceAt(xmax), parseSnapshot(`${xmax}:${xmax}:`));
      for (const id of [xmax, xmax + 1, xmax + 5000])
        expect(isVisible(id % EPOCH, snapshot)).toBe(false);
      expect(isVisible((xmax - 1) % EPOCH, snapshot)).toBe(true);
    },
  );
});
