// Since PostgreSQL 18, a publication can contain stored generated columns. Sluice publishes them,
// so windows compare the values that real Debezium writes.
import { describe, expect, it } from 'vitest';
import { live } from '../support/live.js';
import {
  connectorOf,
  get,
  reach,
  serverVersion,
  sluice,
  startMigration,
  waitFor,
} from '../support/sluice.js';

const { aDatabase } = live();
const publishes = (await serverVersion()) >= 180_000;

describe('a stored generated column', () => {
  it.for(['initial', 'copy'])(
    'is compared after the load "%s" and after changes, and a change that was not published is found',
    async (snapshot, { skip }) => {
      if (!publishes)
        return skip('before Postgres 18, a publication cannot contain generated columns');
      const { name, client } = await aDatabase(
        `CREATE TABLE goods (id int PRIMARY KEY, cents int, euros numeric GENERATED ALWAYS AS (cents / 100.0) STORED);
         INSERT INTO goods SELECT g, g FROM generate_series(1, 100) g`,
      );
      const id = `generated-${snapshot}`;
      startMigration(id, name, ['public.goods'], {
        connector: connectorOf({ snapshot }),
        validation: { every: '1s', passesInARow: 1 },
      });
      await waitFor(id, 'approval');
      await client.query(
        `INSERT INTO goods SELECT g, g FROM generate_series(101, 200) g; UPDATE goods SET cents = cents + 1 WHERE id % 3 = 0`,
      );
      const { windows } = await reach(
        id,
        'a window over all rows',
        (s) => s.windows.at(-1)!.compared === 200,
      );
      expect(windows.at(-1)).toMatchObject({ verdict: 'passed', matched: 200, unknown: 0 });
      const before = (await get(id)).windows.at(-1)!.number;
      const publication = `sluice_generated_${snapshot}`;
      await client.query(
        `ALTER PUBLICATION ${publication} DROP TABLE goods; UPDATE goods SET cents = 7 WHERE id = 1; ALTER PUBLICATION ${publication} ADD TABLE goods`,
      );
      await reach(id, 'a later failed window', (s) => {
        const { number, verdict } = s.windows.at(-1)!;
        return number > before && verdict === 'failed';
      });
      const { differences } = JSON.parse(sluice('diff', id, '-o', 'json').stdout) as {
        differences: { column: string }[];
      };
      expect(differences.map(({ column }) => column).sort()).toEqual(['cents', 'euros']);
      expect(sluice('cancel', id, '--yes').code).toBe(0);
      await waitFor(id, 'outcome=aborted');
    },
  );
});
