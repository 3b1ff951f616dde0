// A witness is a temporary slot that shows which rows changed. Tests for which transactions it
// waits when it begins. In the fake server, the ids of transactions advance as they do in Postgres.
import { describe, expect, it } from 'vitest';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { openTransactionsEnd } from '../../src/clients/postgres/waiting-commits.js';

/** A server on which transaction 100 is the newest. This transaction ends after `looks` queries. */
function serverWith(looks: number) {
  let [next, lastEnded, left] = [101, 99, looks];
  const isOpen = (): boolean => left > 0;
  const query = (sql: string) => {
    if (isOpen() && (left -= 1) === 0) lastEnded = Math.max(lastEnded, 100);
    const xmax = lastEnded + 1;
    let id = isOpen() && 100 < xmax ? 100 : xmax; // a snapshot lists no id at or above its xmax
    if (sql.includes('pg_current_xact_id')) {
      id = next;
      lastEnded = next;
      next += 1;
    } else if (sql.includes('pg_snapshot_xmax')) id = xmax;
    return Promise.resolve({ rows: [{ it: String(id) }] });
  };
  return { isOpen, client: { query } as unknown as Pick<SourceClient, 'query'> };
}

describe('a witness that begins', () => {
  it('waits for the newest transaction, whose commit may be in the WAL before the slot', async () => {
    const server = serverWith(3);
    expect(await openTransactionsEnd(server.client, 5000)).toBe(true);
    expect(server.isOpen()).toBe(false);
  });

  it('gives up if the newest transaction does not end within the time limit', async () => {
    const { client } = serverWith(Infinity);
    expect(await openTransactionsEnd(client, 0)).toBe(false);
  });
});
