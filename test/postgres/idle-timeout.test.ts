// Since version 18, PostgreSQL can invalidate a slot that no session has used for a while. Sluice
// must then name this reason.
import { afterAll, describe, expect, it } from 'vitest';
import { lossOf, readSlot } from '../../src/clients/postgres/slots.js';
import { sleepUntil } from '../support/builders.js';
import { freshDatabase, serverVersion, withDatabase } from '../support/sluice.js';

const version = await serverVersion();
const SLOT = `idle_${process.pid}`;
const limit = (sql: string): Promise<unknown> =>
  withDatabase('postgres', async (admin) => {
    await admin.query(`ALTER SYSTEM ${sql}`);
    await admin.query('SELECT pg_reload_conf()');
  });

describe.skipIf(version < 180_000)('a slot that was idle for idle_replication_slot_timeout', () => {
  afterAll(() => limit('RESET idle_replication_slot_timeout'));

  it('is lost, and Sluice names the reason that the server gives', async () => {
    const { client, drop } = await freshDatabase('SELECT 1');
    await client.query(`SELECT pg_create_logical_replication_slot('${SLOT}', 'pgoutput')`);
    expect(lossOf(SLOT, await readSlot(client, SLOT))).toBeNull();
    await limit(`SET idle_replication_slot_timeout = '1s'`);
    await sleepUntil('the slot is lost', async () => {
      await client.query(`SELECT pg_logical_emit_message(false, 'fill', 'x')`);
      await client.query('SELECT pg_switch_wal()');
      await client.query('CHECKPOINT');
      return lossOf(SLOT, await readSlot(client, SLOT)) !== null;
    });
    expect(lossOf(SLOT, await readSlot(client, SLOT))).toMatch(/wal_status lost, idle_timeout/);
    await drop();
  });
});
