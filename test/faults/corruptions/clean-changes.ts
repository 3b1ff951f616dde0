// Lists changes that are not corruptions. Applications and DBAs make them, and a window must pass
// after each of them.
import { BIG, SMALL, rowsAgain } from './ledger-table.js';
import type { Lab } from './lab.js';

type Change = (lab: Lab, round: number) => Promise<unknown>;

const inHot = (round: number): string => `id <= 2000 AND id % 7 = ${round % 7}`;

export const CLEAN_CHANGES: Readonly<Record<string, Change>> = {
  'updated rows': ({ client }, round) =>
    client.query(
      `UPDATE ledger SET amount = amount + 1, note = 'seen ${round}' WHERE ${inHot(round)}`,
    ),
  'rows that are deleted and inserted again under the same keys': ({ client }, round) =>
    client
      .query(`DELETE FROM ledger WHERE id BETWEEN ${round + 1} AND ${round + 20}`)
      .then(() => client.query(rowsAgain(round + 1, round + 20))),
  'keys that move to a different partition and back': ({ client }, round) =>
    client
      .query(`UPDATE ledger SET id = 500000 + id WHERE ${inHot(round)}`)
      .then(() =>
        client.query(`UPDATE ledger SET id = id - 500000 WHERE id > 500000 AND id < 510000`),
      ),
  'subtransactions, one of them rolled back': ({ client }, round) =>
    client.query(`BEGIN; SAVEPOINT a; UPDATE ledger SET note = 'never' WHERE ${inHot(round)}; ROLLBACK TO a;
      SAVEPOINT b; UPDATE ledger SET note = 'once' WHERE ${inHot(round)}; RELEASE b; COMMIT`),
  'a table that is rewritten': ({ client }) => client.query('VACUUM FULL ledger_small'),
  'a partition replaced by an equal one': ({ client }) =>
    client.query(`BEGIN; CREATE TABLE equal (LIKE ledger INCLUDING ALL);
      INSERT INTO equal SELECT (r).* FROM (SELECT ledger_small AS r FROM ledger_small) s;
      ALTER TABLE ledger DETACH PARTITION ledger_small; DROP TABLE ledger_small;
      ALTER TABLE equal RENAME TO ledger_small;
      ALTER TABLE ledger ATTACH PARTITION ledger_small FOR VALUES FROM (${SMALL}) TO (${BIG}); COMMIT`),
  'a new partition with its own rows': ({ client }, round) => {
    const from = 3_000_000 + round * 10;
    return client
      .query(
        `CREATE TABLE ledger_${from} PARTITION OF ledger FOR VALUES FROM (${from}) TO (${from + 10})`,
      )
      .then(() => client.query(rowsAgain(from, from + 9)));
  },
};
