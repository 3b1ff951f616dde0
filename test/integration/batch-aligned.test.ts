// Tests what `doctor` says about the mode of the batch's result and of each stage: exact or
// settled. Windows compare either all of them exactly, or none.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBatch } from '../../src/activities/checks/batch-checks.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { BATCH_PARTS, aPlan } from '../support/builders.js';
import { freshDatabase, serverVersion, testPostgres } from '../support/sluice.js';

const EXACT = 'SELECT k, sum(cents)::bigint AS total FROM sales GROUP BY 1';
const RECURSIVE =
  'WITH RECURSIVE t AS (SELECT k FROM sales UNION SELECT k + 1 FROM t WHERE k < 3) SELECT k FROM t';
let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  // Postgres 18 can publish stored generated columns. There, only virtual generated columns prevent
  // an alignment.
  const kind = (await serverVersion()) >= 180000 ? 'VIRTUAL' : 'STORED';
  database = await freshDatabase(
    `CREATE TABLE sales (id int PRIMARY KEY, k int, cents int);
     CREATE TABLE odd (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) ${kind});
     CREATE TABLE totals_batch (k int, total bigint)`,
  );
});
afterAll(() => database.drop());

async function modes(...stages: string[]): Promise<string[]> {
  const key = ['k'];
  const plan = aPlan({
    spec: {
      ...BATCH_PARTS,
      source: { postgres: testPostgres(database.name), tables: ['public.sales', 'public.odd'] },
      batch: {
        result: { table: 'public.totals_batch', key },
        query: { sql: EXACT },
        stages: stages.map((sql, at) => ({
          name: `s${at}`,
          query: { sql },
          key,
          topic: `topic-${at}`,
        })),
      },
      pipeline: { ...BATCH_PARTS.pipeline, output: { topic: 'totals', key } },
      cutover: {},
    },
  });
  const checks = await checkBatch({ secret: resolveSecret }, plan);
  return checks.filter(({ name }) => name === 'batch.aligned').map(({ detail }) => detail);
}

describe('doctor says of the result and of every stage', () => {
  it('that windows compare it exactly, if all queries can be aligned', async () => {
    const exact = 'windows compare the query exactly, at a still point of the pipeline';
    expect(await modes(EXACT)).toEqual([exact, exact]);
  });
  it.each([
    [RECURSIVE, 'the query of s1: it is recursive'],
    [
      'SELECT id AS k FROM odd',
      'the query of s1 reads public.odd, whose column twice is generated',
    ],
  ])(
    'that windows use settled rounds, and why, if one query cannot be aligned: %s',
    async (sql, why) => {
      const settled = `windows compare the query in settled rounds, because ${why}`;
      expect(await modes(EXACT, sql)).toEqual([settled, settled, settled]);
    },
  );
});
