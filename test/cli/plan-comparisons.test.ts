// Tests the comparison mode that `sluice plan` shows for a result, and the reason for the mode.
import { describe, expect, it } from 'vitest';
import { comparisonsOf } from '../../src/cli/support/plan-comparisons.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

const modesOf = async (sql: string, more: object = {}): Promise<unknown> => {
  const spec = aSpec({
    spec: { ...BATCH_PARTS, batch: { ...BATCH_PARTS.batch, query: { sql } }, ...more },
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
  ])('says why a result is compared in settled mode: %s', async (sql, because) =>
    expect(await modesOf(sql)).toMatchObject({
      mode: 'settled',
      because: expect.stringMatching(because),
    }),
  );

  it('gives no reason if the spec itself asks for a settled comparison', async () =>
    expect(await modesOf('SELECT 1', { validation: { results: 'settled' } })).toEqual({
      subject: 'result',
      mode: 'settled',
    }));

  it('says that a result of polled tables is compared in settled mode, and why', async () => {
    const connector = {
      type: 'jdbc-source',
      url: 'http://127.0.0.1:8083',
      mode: 'incrementing',
      incrementingColumn: 'id',
    };
    expect(await modesOf('SELECT day, total FROM t', { connector })).toEqual({
      subject: 'result',
      mode: 'settled',
      because: 'the records of polled tables have no transaction id',
    });
  });
});
