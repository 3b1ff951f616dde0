// Lists corruptions of the table itself that produce no record. They concern its partitions, its
// storage, its key, its replica identity, and the part of it that is published.
import { BIG, LAST, SMALL, rowsAgain } from './ledger-table.js';
import { kindsOf, type Kind } from './kinds.js';

const SMALL_ROWS = BIG - SMALL;
const smallRange = `FOR VALUES FROM (${SMALL}) TO (${BIG})`;

/**
 * Builds a kind of corruption from two statements. After the first, the table `ledger` is not
 * completely captured. The second undoes the first.
 */
const notCaptured =
  (
    change: (publication: string, id: number) => string,
    back: (publication: string) => string,
    says: RegExp,
  ): Kind['corrupt'] =>
  async ({ client, publication }, id) => {
    await client.query(change(await publication(), id));
    return {
      wanted: { blocked: 'capture-changed', says },
      undo: async () => client.query(back(await publication())),
    };
  };

const alter = (change: string) => (): string => `ALTER TABLE ${change}`;
const wholeAgain = (publication: string): string =>
  `ALTER PUBLICATION ${publication} SET TABLE ledger, accounts`;

/**
 * Corruptions of rows that no later record changes. They must be found with every value of the
 * source's transaction counter.
 */
export const UNTOUCHED_ROWS: readonly Kind[] = kindsOf({
  'a detached partition': async ({ client }) => {
    await client.query('ALTER TABLE ledger DETACH PARTITION ledger_small');
    return {
      wanted: { counts: { extraneous: SMALL_ROWS } },
      undo: () => client.query(`ALTER TABLE ledger ATTACH PARTITION ledger_small ${smallRange}`),
    };
  },
  'an emptied partition': async ({ client }) => {
    await client.query('TRUNCATE ledger_small');
    return {
      wanted: { counts: { extraneous: SMALL_ROWS } },
      undo: () => client.query(rowsAgain(SMALL, BIG - 1)),
    };
  },
});

export const TABLE_KINDS: readonly Kind[] = kindsOf({
  'a detached partition with more rows than are examined': async ({ client }) => {
    await client.query('ALTER TABLE ledger DETACH PARTITION ledger_big');
    const range = `FOR VALUES FROM (${BIG}) TO (${LAST + 1})`;
    return {
      wanted: { counts: { extraneous: LAST + 1 - BIG } },
      undo: () => client.query(`ALTER TABLE ledger ATTACH PARTITION ledger_big ${range}`),
    };
  },
  'a partition swapped for one with other values': async ({ client }) => {
    const swap = (out: string, into: string): string => `ALTER TABLE ledger DETACH PARTITION ${out};
      ALTER TABLE ledger ATTACH PARTITION ${into} ${smallRange}`;
    await client.query(`BEGIN; CREATE TABLE swapped (LIKE ledger INCLUDING ALL);
      INSERT INTO swapped SELECT (r).* FROM (SELECT ledger_small AS r FROM ledger_small) s;
      UPDATE swapped SET amount = amount + 1; ${swap('ledger_small', 'swapped')}; COMMIT`);
    return {
      wanted: { counts: { mismatched: SMALL_ROWS } },
      undo: () =>
        client.query(`BEGIN; ${swap('swapped', 'ledger_small')}; DROP TABLE swapped; COMMIT`),
    };
  },
  'an attached partition whose rows were never published': async ({ client }) => {
    const rows = 'SELECT (a_row(g)).* FROM generate_series(2000000, 2000006) g';
    await client.query(`BEGIN; CREATE TABLE brought (LIKE ledger INCLUDING ALL);
      INSERT INTO brought ${rows};
      ALTER TABLE ledger ATTACH PARTITION brought FOR VALUES FROM (2000000) TO (2000100); COMMIT`);
    return {
      wanted: { counts: { missing: 7 } },
      undo: () => client.query('ALTER TABLE ledger DETACH PARTITION brought; DROP TABLE brought'),
    };
  },
  'a rewrite that changes one value': async ({ client }, id) => {
    const rewrite = (by: string): string => `ALTER TABLE ledger ALTER COLUMN amount TYPE numeric
      USING CASE WHEN id = ${id} THEN amount ${by} ELSE amount + 0.0 END`;
    await client.query(rewrite('+ 1'));
    return {
      wanted: { counts: { mismatched: 1 } },
      undo: () => client.query(rewrite('- 1')),
    };
  },
  'a table swapped for an equal one that is not captured': notCaptured(
    () => `BEGIN; CREATE TABLE other (LIKE ledger INCLUDING ALL); INSERT INTO other SELECT * FROM ledger;
      ALTER TABLE ledger RENAME TO ledger_kept; ALTER TABLE other RENAME TO ledger; COMMIT`,
    () => 'BEGIN; DROP TABLE ledger; ALTER TABLE ledger_kept RENAME TO ledger; COMMIT',
    /does not carry public\.ledger\b.*it carries public\.ledger_kept/,
  ),
  'a table swapped for a captured one with a different value': async (
    { client, publication },
    id,
  ) => {
    const alter = `ALTER PUBLICATION ${await publication()} SET TABLE ledger, accounts`;
    await client.query(`BEGIN; CREATE TABLE other (LIKE ledger INCLUDING ALL); INSERT INTO other SELECT * FROM ledger;
      UPDATE other SET amount = amount + 1 WHERE id = ${id}; ALTER TABLE ledger RENAME TO ledger_kept;
      ALTER TABLE other RENAME TO ledger; ${alter}; COMMIT`);
    return {
      wanted: { counts: { mismatched: 1 } },
      undo: () =>
        client.query(`BEGIN; DROP TABLE ledger; ALTER TABLE ledger_kept RENAME TO ledger;
          ${alter}; COMMIT`),
    };
  },
  'a table moved to a different schema': notCaptured(
    () => 'BEGIN; CREATE SCHEMA other; ALTER TABLE ledger SET SCHEMA other; COMMIT',
    () => 'BEGIN; ALTER TABLE other.ledger SET SCHEMA public; DROP SCHEMA other; COMMIT',
    /table public\.ledger is gone/,
  ),
  'a publication that lacks an operation': notCaptured(
    (publication) => `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete')`,
    (publication) =>
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate')`,
    /no longer carries truncates of public\.ledger/,
  ),
  'a publication that leaves out a row': notCaptured(
    (publication, id) =>
      `ALTER PUBLICATION ${publication} SET TABLE ledger WHERE (id <> ${id}), accounts`,
    wholeAgain,
    /carries only a part of public\.ledger\b.*only rows where/,
  ),
  'a publication that leaves out a column': notCaptured(
    (publication) =>
      `ALTER PUBLICATION ${publication} SET TABLE ledger (id, account, amount), accounts`,
    wholeAgain,
    /carries only a part of public\.ledger\b.*no column rate, open/,
  ),
  'a partition that is not logged': notCaptured(
    alter('ledger_small SET UNLOGGED'),
    alter('ledger_small SET LOGGED'),
    /rows of the unlogged table public\.ledger_small never reach the log/,
  ),
  'a partition whose updates carry no key': notCaptured(
    alter('ledger_small REPLICA IDENTITY NOTHING'),
    alter('ledger_small REPLICA IDENTITY DEFAULT'),
    /replica identity of public\.ledger_small is nothing/,
  ),
  'a table without its key': notCaptured(
    alter('ledger DROP CONSTRAINT ledger_pkey'),
    alter('ledger ADD CONSTRAINT ledger_pkey PRIMARY KEY (id)'),
    /public\.ledger no longer has a primary key/,
  ),
});
