// Tests a shared table with real servers: the stream gets the table at the commit, and a rollback
// returns it to the batch.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { viewEqualsQuery } from '../../examples/daily-revenue/proof.js';
import { stackHome } from '../../stack/paths.js';
import { removeService } from '../../stack/stack.js';
import { openSharedShop, type FencedShop } from '../support/fenced-shop.js';
import { TestWorker, get, sluice, waitFor, withDatabase } from '../support/sluice.js';

const TABLE = 'daily_revenue_batch';
const OLD_DAY = "'1999-12-31'";
const worker = new TestWorker();
let shop: FencedShop;
let dropRoles: () => Promise<void>;

beforeAll(async () => {
  // the first run is rolled back, which is possible only before the end of its soak
  const soakFor = (generation: number): string => (generation === 1 ? '1h' : '20s');
  ({ shop, dropRoles } = await openSharedShop('shared', soakFor));
  await worker.start();
});
afterAll(async () => {
  shop.rest();
  await worker.kill('SIGTERM');
  await dropRoles();
  // the pipeline would slow down other test files
  await removeService(stackHome(), `pipeline-${shop.name}`);
});

/**
 * Returns the SQLSTATE of the refusal, or null if the write was accepted. The write leaves nothing
 * behind.
 */
async function write(client: pg.Client, sql: string): Promise<string | null> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('ROLLBACK');
  }
}

const asNightly = (sql: string): string => `SET LOCAL ROLE shared_nightly; ${sql}`;
const asStream = (since: string, sql: string): string =>
  `SET LOCAL ROLE shared_stream; SET LOCAL sluice.owner = '${since}'; ${sql}`;
const INSERT = `INSERT INTO ${TABLE} VALUES ('2001-01-01', 1, 1, 1, 0, 1)`;
const owned = (client: pg.Client) =>
  client
    .query(`SELECT tgname FROM pg_trigger WHERE tgname LIKE 'sluice%'`)
    .then(({ rows }) => rows.length);

describe('a table that batch and stream share', () => {
  it('belongs to the stream after the commit, and to the batch with all its rows after a rollback', async () => {
    await withDatabase(shop.database, async (client) => {
      // the source no longer has the input of this row, so the query does not return it
      await client.query(`INSERT INTO ${TABLE} VALUES (${OLD_DAY}, 1, 7, 70, 0, 70)`);
      await shop.start();
      await waitFor(shop.name, 'approval');
      expect(await write(client, asNightly(INSERT))).toBeNull();
      expect(
        (await get(shop.name)).windows.some(
          (w) => w.subject === 'result@sink' && w.verdict === 'passed',
        ),
      ).toBe(true);
      await shop.approve();
      await waitFor(shop.name, 'phase=soak');
      expect((await get(shop.name)).route?.side).toBe('stream');
      expect(await write(client, asNightly(INSERT))).toBe('25006');
      // this is the session of the table's owner, who is a superuser here
      expect(await write(client, `TRUNCATE ${TABLE}`)).toBe('25006');
      const { epoch } = (
        await client.query<{ epoch: number }>('SELECT epoch FROM sluice_shared.lease')
      ).rows[0]!;
      expect(await write(client, asStream(`1.${epoch}`, INSERT))).toBeNull();
      // a sink of a different iteration
      expect(await write(client, asStream(`2.${epoch}`, INSERT))).toBe('25006');
      expect((await client.query(`SELECT FROM ${TABLE} WHERE day = ${OLD_DAY}`)).rows).toEqual([]);
      // the sink keeps the table up to date
      expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
      expect(
        sluice('rollback', shop.name, '--reason', 'second thoughts', '--by', 'ann', '--yes').code,
      ).toBe(0);
      await waitFor(shop.name, 'outcome=rolled-back');
      expect(await get(shop.name)).toMatchObject({ leftovers: [], route: { side: 'batch' } });
      expect((await client.query(`SELECT FROM ${TABLE} WHERE day = ${OLD_DAY}`)).rows).toHaveLength(
        1,
      );
      expect(await owned(client)).toBe(0);
      expect(await write(client, asNightly(INSERT))).toBeNull();
      await client.query('CALL run_daily_revenue()'); // nothing refuses the batch
    });
  });

  it("is handed over with its sink, and the batch's role can no longer write to it", async () => {
    await withDatabase(shop.database, async (client) => {
      await shop.start(2);
      await shop.approve();
      await waitFor(shop.name, 'outcome=migrated');
      const { leftovers, handedOver, iteration } = await get(shop.name);
      expect({ leftovers, iteration }).toEqual({ leftovers: [], iteration: 2 });
      expect(handedOver).toContainEqual({ kind: 'sink-table', name: `public.${TABLE}` });
      expect(await owned(client)).toBe(0);
      expect(
        (await client.query(`SELECT FROM pg_namespace WHERE nspname LIKE 'sluice%'`)).rows,
      ).toEqual([]);
      expect(await write(client, asNightly(INSERT))).toBe('42501');
      await client.query('INSERT INTO orders (customer_id, store_id) VALUES (1, 1)');
      expect(await viewEqualsQuery(shop.database, 300_000)).toBe(true);
      const events = (
        JSON.parse(sluice('report', shop.name, '-o', 'json').stdout) as {
          events: { kind: string; detail: string }[];
        }
      ).events;
      const proofs = events.filter((e) => e.kind === 'proof').map((e) => e.detail);
      for (const part of [
        'P1 triggers exist on',
        'P2 the connector acknowledged',
        "P3 the fence's own marker was read from",
        'P4 the ends were read and are stable',
        'P5 group connect-shared-sink-g2 has read to these ends',
        'P6 final window',
      ])
        expect(
          proofs.some((proof) => proof.startsWith(part)),
          `${part} in ${proofs.join('\n')}`,
        ).toBe(true);
      expect(sluice('report', shop.name, '-o', 'md').stdout).toContain(
        'P2 the connector acknowledged',
      );
      expect(events.find((e) => e.kind === 'committed')!.detail).toMatch(
        /rows written, \d+ removed \(their copies are kept/,
      );
    });
  });
});
