// Makes the server remove the WAL that a witness needs. The setting for this
// (`max_slot_wal_keep_size`) applies to every slot of the server. So no migration may run on the
// stack at the same time.
import { afterAll, describe, expect, it } from 'vitest';
import { WitnessLog } from '../../src/clients/postgres/witness-log.js';
import { WitnessSlot } from '../../src/clients/postgres/witness-slot.js';
import { witnessedTable } from '../../src/clients/postgres/witness-tables.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { sleepUntil } from '../support/builders.js';
import { freshDatabase, specOf, withDatabase } from '../support/sluice.js';

describe('a witness whose WAL the server removes', () => {
  const limit = (sql: string): Promise<unknown> =>
    withDatabase('postgres', async (admin) => {
      await admin.query(`ALTER SYSTEM ${sql}`);
      await admin.query('SELECT pg_reload_conf()');
    });
  afterAll(() => limit('RESET max_slot_wal_keep_size'));

  it('returns no changed rows, names the cause, and leaves no slot', async () => {
    const { name, client, drop } = await freshDatabase(
      `CREATE TABLE a (id bigint PRIMARY KEY, v text); INSERT INTO a VALUES (1); CREATE PUBLICATION w FOR TABLE a`,
    );
    const parsed = parseSpecObject(specOf('lost-wal', name, ['public.a']));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const slot = await WitnessSlot.open(parsed.spec, resolveSecret, 'w');
    const log = new WitnessLog([await witnessedTable(client, 'public.a', 'public.a', 'id')]);
    await client.query(`UPDATE a SET v = 'unseen'`);
    await limit(`SET max_slot_wal_keep_size = '1MB'`);
    const mine = async (): Promise<string | undefined> =>
      (
        await client.query<{ s: string }>(
          `SELECT wal_status AS s FROM pg_replication_slots WHERE slot_name LIKE 'sluice_witness_%' AND database = current_database()`,
        )
      ).rows[0]?.s;
    await sleepUntil('the WAL is lost', async () => {
      await client.query(`SELECT pg_logical_emit_message(false, 'fill', repeat('x', 20000000))`);
      await client.query('SELECT pg_switch_wal()');
      await client.query('CHECKPOINT');
      return ['lost', undefined].includes(await mine());
    });
    await slot.readToNow(log, 'now');
    expect(log.problem).toMatch(/the witness was lost/);
    expect([...log.changedIn('public.a')]).toEqual([]);
    await slot.close();
    await sleepUntil('no slot is left', async () => (await mine()) === undefined);
    await drop();
  });
});
