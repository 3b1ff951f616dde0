// Tests a witness on a real Postgres. (A witness is a temporary slot that shows which rows
// changed.) The tests show which rows the witness names, what makes it unusable, and that it leaves
// no slot behind.
import { afterAll, describe, expect, it } from 'vitest';
import { WitnessLog } from '../../src/clients/postgres/witness-log.js';
import { WitnessSlot } from '../../src/clients/postgres/witness-slot.js';
import { definitionDigest, witnessedTable } from '../../src/clients/postgres/witness-tables.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { MOST_WITNESSED } from '../../src/domain/evidence/witness.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { sleepUntil } from '../support/builders.js';
import { freshDatabase, specOf, withDatabase } from '../support/sluice.js';

type Database = Awaited<ReturnType<typeof freshDatabase>>;
const made: Database[] = [];
const opened: WitnessSlot[] = [];

afterAll(async () => {
  for (const slot of opened) await slot.close();
  for (const database of made) await database.drop();
});

const PUBLICATION = 'The witnessed';
const A = `CREATE TABLE a (id bigint PRIMARY KEY, v text);
INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 100) g;`;

/** Opens a witness of the table `a`, and returns functions with which a test uses it. */
async function witnessed(setup = A, options = '') {
  const database = await freshDatabase(
    `${setup} CREATE PUBLICATION "${PUBLICATION}" FOR TABLE a ${options}`,
  );
  made.push(database);
  const { client } = database;
  const parsed = parseSpecObject(specOf('watched', database.name, ['public.a']));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const slot = await WitnessSlot.open(parsed.spec, resolveSecret, PUBLICATION);
  opened.push(slot);
  const log = new WitnessLog([await witnessedTable(client, 'public.a', 'public.a', 'id')]);
  const snapshot = async () =>
    parseSnapshot(
      (await client.query<{ s: string }>('SELECT pg_current_snapshot()::text AS s')).rows[0]!.s,
    );
  const before = await snapshot();
  let markers = 0;
  return {
    ...database,
    spec: parsed.spec,
    slot,
    digest: () => definitionDigest(client, ['public.a'], PUBLICATION),
    seen: async () => {
      const after = await snapshot();
      await slot.readToNow(log, `marker ${(markers += 1)}`);
      return {
        problem: log.problem,
        keys: [...log.changedIn('public.a')].sort(),
        ...log.rowChange('public.a', before, after),
      };
    },
  };
}

const slots = (database: string) =>
  withDatabase(
    'postgres',
    async (admin) =>
      (await admin.query('SELECT 1 FROM pg_replication_slots WHERE database = $1', [database])).rows
        .length,
  );

describe('a witness', () => {
  it('names each changed key (old and new, if the key itself changes), and counts inserts and deletes', async () => {
    const { client, seen } = await witnessed();
    expect(await seen()).toEqual({ problem: null, keys: [], inserted: 0, deleted: 0 });
    await client.query(`INSERT INTO a SELECT g, 'n' FROM generate_series(101, 103) g`);
    await client.query(`UPDATE a SET id = 900 WHERE id = 9`);
    await client.query(
      `BEGIN; DELETE FROM a WHERE id = 7; SAVEPOINT s; INSERT INTO a VALUES (500); ROLLBACK TO s; INSERT INTO a VALUES (501); COMMIT`,
    );
    await client.query(`BEGIN; INSERT INTO a VALUES (600); ROLLBACK`);
    expect(await seen()).toEqual({
      problem: null,
      keys: ['101', '102', '103', '501', '7', '9', '900'],
      inserted: 4,
      deleted: 1,
    });
  });

  it('lists a changed row only in the first reading after the end of its transaction', async () => {
    const { name, client, seen } = await witnessed();
    await withDatabase(name, async (other) => {
      await other.query('BEGIN; DELETE FROM a WHERE id = 1');
      await client.query('UPDATE a SET v = NULL WHERE id = 2');
      expect((await seen()).keys).toEqual(['2']);
      await other.query('COMMIT');
    });
    expect(await seen()).toMatchObject({ problem: null, keys: ['1', '2'], deleted: 1 });
  });

  it('waits for transactions that are open when it begins, until its time limit', async () => {
    const { name, spec } = await witnessed();
    await withDatabase(name, async (other) => {
      await other.query('BEGIN; DELETE FROM a WHERE id = 1');
      await expect(WitnessSlot.open(spec, resolveSecret, PUBLICATION, 300)).rejects.toThrow(
        /timeout/,
      );
      await other.query('ROLLBACK');
    });
    await sleepUntil('only the first slot is there', async () => (await slots(name)) === 1);
  });

  it('names the keys of rows with large values, with REPLICA IDENTITY DEFAULT or FULL, or in partitions', async () => {
    const large = `(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 400))`;
    for (const setup of [
      A,
      `${A} ALTER TABLE a REPLICA IDENTITY FULL;`,
      `CREATE TABLE a (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
       CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (50); CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (50) TO (500);
       INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 100) g;`,
    ])
      for (const options of ['', 'WITH (publish_via_partition_root = true)']) {
        const { client, seen } = await witnessed(setup, options);
        await client.query(`UPDATE a SET v = ${large} WHERE id = 3`);
        await client.query(`UPDATE a SET id = 200 + id WHERE id = 3 OR id = 48`);
        await client.query(`DELETE FROM a WHERE id = 203`);
        const { keys, inserted, deleted, problem } = await seen();
        expect({ problem, net: inserted - deleted }).toEqual({ problem: null, net: -1 });
        expect(keys).toEqual(['203', '248', '3', '48']);
      }
  });

  it.each([
    ['a truncate of the table', 'TRUNCATE a', /public\.a was truncated/],
    ['a new column', 'ALTER TABLE a ADD w int; UPDATE a SET v = 1', /definition of public\.a/],
    [
      'a replica identity that does not name the key',
      `CREATE UNIQUE INDEX other ON a (v); ALTER TABLE a ALTER v SET NOT NULL, REPLICA IDENTITY USING INDEX other; UPDATE a SET id = -id WHERE id = 5`,
      /replica identity of public\.a does not name the key id|definition of public\.a/,
    ],
    [
      'too many changes',
      `INSERT INTO a SELECT g FROM generate_series(1001, ${1001 + MOST_WITNESSED}) g`,
      /more than 200000 changes/,
    ],
  ])('becomes unusable after %s', async (_, change, reason) => {
    const { client, seen } = await witnessed();
    await client.query(`UPDATE a SET v = 'before' WHERE id = 1`);
    expect((await seen()).problem).toBeNull();
    for (const statement of change.split('; ')) await client.query(statement);
    expect((await seen()).problem).toMatch(reason);
  });

  it.each([
    [
      'a partition that was detached, changed and attached again',
      `ALTER TABLE a DETACH PARTITION a1; UPDATE a1 SET v = 'unseen'; ALTER TABLE a ATTACH PARTITION a1 FOR VALUES FROM (0) TO (500)`,
    ],
    [
      'a publication that was without the table for a moment',
      `ALTER PUBLICATION "${PUBLICATION}" DROP TABLE a; UPDATE a SET v = 'unseen'; ALTER PUBLICATION "${PUBLICATION}" ADD TABLE a`,
    ],
    ['a rewritten table', `VACUUM FULL a1`],
    [
      'a column that was dropped and added again',
      `ALTER TABLE a DROP v; ALTER TABLE a ADD v text DEFAULT 'unseen'`,
    ],
  ])('notices %s by the digest of the definitions', async (_, change) => {
    const { client, digest } = await witnessed(
      `CREATE TABLE a (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
       CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (500); INSERT INTO a VALUES (1);`,
    );
    const before = await digest();
    await client.query('ANALYZE a');
    await client.query('UPDATE a SET v = 1');
    // a trigger does not count, because a fence of the source creates triggers
    await client.query(
      `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()`,
    );
    expect(await digest()).toBe(before);
    for (const statement of change.split('; ')) await client.query(statement);
    expect(await digest()).not.toBe(before);
  });

  it('becomes unusable after its session was ended, and leaves no slot', async () => {
    const { name, client, seen } = await witnessed();
    expect(await slots(name)).toBe(1);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice/watched/witness' AND datname = current_database()`,
    );
    await sleepUntil('the slot is gone', async () => (await slots(name)) === 0);
    await client.query(`UPDATE a SET v = 'unseen' WHERE id = 1`);
    expect((await seen()).problem).toMatch(/the witness was lost/);
  });
});
