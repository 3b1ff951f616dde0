// Tests how doctor judges the types of the columns that a query of the batch returns.
import { expect, it } from 'vitest';
import { judgeColumns } from '../../src/activities/checks/batch-checks.js';

const COLUMNS = [
  { name: 'owner', type: 'name' },
  { name: 'total', type: 'int8' },
];
const judge = (key: string, ignore: readonly string[] = []) =>
  judgeColumns(COLUMNS, { subject: 'result', keys: [key] }, { ignore });

it('a key column that cannot be proven equal must be cast, because it cannot be ignored', () => {
  const refusal = {
    detail: 'these key columns cannot be compared: owner (name)',
    remedy: 'cast them in the query',
  };
  expect(judge('owner')).toEqual(refusal);
  expect(judge('owner', ['owner'])).toEqual(refusal);
});

it('another column that cannot be proven equal must be cast or ignored', () => {
  expect(judge('total')).toMatchObject({
    remedy: 'cast them in the query, or list them in validation.compare.ignore',
  });
  expect(judge('total', ['result.owner'])).toBe('the query returns owner, total');
});
