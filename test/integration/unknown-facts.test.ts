// Tests what `get` and doctor say about Temporal if it does not answer or lacks the namespace, and
// what `assess` measures for a partitioned table.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../../src/cli/support/measure-portfolio.js';
import type { PostgresAddress } from '../../src/domain/migration/spec.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { accounts } from '../support/live.js';
import { freshDatabase, sluiceWith, specFile, testPostgres } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase(
    `${accounts(10)} CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
     CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
     CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (1000)`,
  );
});
afterAll(() => database.drop());

describe('what `assess` measures for a partitioned table', () => {
  it('is the sum over its partitions, because Postgres counts no changes of the table itself', async () => {
    await database.client.query('INSERT INTO parted SELECT generate_series(1, 200)');
    await database.client.query('DELETE FROM parted WHERE id > 150');
    const facts = async () => {
      const address = { sslmode: 'prefer', ...testPostgres(database.name) } as PostgresAddress;
      const { tables } = await measure(address, resolveSecret, ['public.parted'], []);
      const fact = tables.get('public.parted');
      return fact?.known ? fact.value : fact;
    };
    // a session reports its changed rows to the statistics when it ends, or up to a minute late
    await database.client.query('SELECT pg_stat_force_next_flush()').catch(() => undefined);
    await expect
      .poll(facts, { timeout: 20_000 })
      .toMatchObject({ kind: 'p', total: { inserted: 200, updated: 0, deleted: 50 }, rows: 150 });
  });
});

describe('if Temporal does not answer or lacks the namespace', () => {
  it('`get` does not say that the migration does not exist, because the ledger may lack a new run', () =>
    expect(sluiceWith({ TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'get', 'unknown')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(
        /the ledger does not know migration unknown, and Temporal at 127.0.0.1:1 does not answer/,
      ) as string,
    }));
  it('doctor fails its check of Temporal for a missing namespace, although the server answers', () => {
    const file = specFile('nowhere', database.name, ['public.accounts'], {});
    const doctor = (more: NodeJS.ProcessEnv) => {
      const { stdout } = sluiceWith(more, 'doctor', '-f', file, '-o', 'json');
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
      return checks.find(({ name }) => name === 'temporal.reachable');
    };
    expect(doctor({})).toMatchObject({ status: 'passed' });
    expect(doctor({ TEMPORAL_NAMESPACE: 'nowhere' })).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/^namespace nowhere of Temporal at .*: .*nowhere/) as string,
      remedy: expect.stringContaining('TEMPORAL_NAMESPACE') as string,
    });
  });
});
