import { describe, expect, it } from 'vitest';
import { comparisonsOf } from '../../src/cli/plan-modes.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

const modesOf = async (sql: string, results = 'exact'): Promise<unknown> => {
  const spec = aSpec({
    spec: {
      ...BATCH_PARTS,
      batch: { ...BATCH_PARTS.batch, query: { sql } },
      validation: { results },
    },
  });
  const comparisons = await comparisonsOf(spec, buildPlan(spec).comparisons);
  return comparisons.find(({ subject }) => subject === 'result');
};

describe('the plan', () => {
  it('says that a result is compared exactly', async () =>
    expect(await modesOf('SELECT day, total FROM t')).toEqual({
      subject: 'result',
      mode: 'exact',
    }));

  it.each([
    ['WITH RECURSIVE t AS (SELECT 1 AS day) SELECT day FROM t', /it is recursive/],
    ['SELECT day, random() AS total FROM t', /depends on random\(\)/],
    ['SELECT day, total FROM t WHERE day < now()', /depends on now\(\)/],
    ['SELECT day FROM t TABLESAMPLE SYSTEM (1)', /random sample/],
  ])('says why it is settled: %s', async (sql, because) =>
    expect(await modesOf(sql)).toMatchObject({
      mode: 'settled',
      because: expect.stringMatching(because),
    }),
  );

  it('needs no reason for a result that the spec calls settled', async () =>
    expect(await modesOf('SELECT 1', 'settled')).toEqual({ subject: 'result', mode: 'settled' }));
});
