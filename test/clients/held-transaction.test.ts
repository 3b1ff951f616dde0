// Tests which rows a transaction sees after it has waited for locks. The fake server has the
// default isolation level repeatable read. It takes a snapshot at the first SELECT, as Postgres
// does.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { heldTransaction } from '../../src/clients/postgres/held-transaction.js';

function repeatableServer() {
  const server = { rows: 1 };
  let isCommittedRead = false;
  let seen: number | null = null;
  const query = (sql: string) => {
    isCommittedRead ||= sql.startsWith('BEGIN ISOLATION LEVEL READ COMMITTED');
    if (sql.includes('SELECT') && (isCommittedRead || seen === null)) seen = server.rows;
    return Promise.resolve({ rows: [{ n: seen }] });
  };
  return { server, client: { query } as unknown as pg.ClientBase };
}

describe('a transaction that holds locks', () => {
  it('sees rows that were committed while it waited, even if repeatable read is the default', async () => {
    const { server, client } = repeatableServer();
    const found = await heldTransaction(client, { idleMs: 1000, overallMs: 1000 }, async (held) => {
      server.rows = 2; // another session commits a row before it gives up its lock
      await held.client.query('LOCK TABLE stream IN ACCESS EXCLUSIVE MODE');
      return (await held.client.query<{ n: number }>('SELECT count(*) AS n FROM stream')).rows[0]!;
    });
    expect(found.n).toBe(2);
  });
});
