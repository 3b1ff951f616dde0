// Tests when a view may read a different table whose columns have different types. The view then
// casts these columns in the session of each reader.
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { swapRelation } from '../../src/assess/sql/swap-relation.js';
import type { RelationColumn } from '../../src/assess/sql/swap-limits.js';

beforeAll(loadParser);

/**
 * Replaces the batch's table by the stream's table in a view with one column. Returns the new
 * definition of the view, or the problem.
 */
function swapped(batch: RelationColumn, stream: RelationColumn): string {
  const side = (table: string, column: RelationColumn) => ({
    name: { schema: 'public', table },
    columns: [column],
    key: [],
  });
  const view = {
    definition: 'SELECT v FROM public.batch',
    uses: ['v'],
    groupsBy: [],
    isChecked: false,
  };
  const found = swapRelation(view, side('batch', batch), side('stream', stream));
  return 'definition' in found ? found.definition : found.problem;
}
const column = (type: string, base = type): RelationColumn => ({
  name: 'v',
  type,
  base,
  collation: '',
});

describe('a column that has a different type in the table of the stream', () => {
  it.each([
    ['numeric(12,2)', 'numeric(20,4)'],
    ['bigint', 'integer'],
    ['text', 'character varying(20)'],
    ['text', 'public.mood'],
    ['text', 'uuid'],
    ['timestamp(0) without time zone', 'timestamp without time zone'],
    ['timestamp without time zone', 'date'],
    ['interval day to second', 'interval'],
  ])('is cast to %s if it is %s', (batch, stream) =>
    expect(swapped(column(batch), column(stream))).toContain(`"v"::${batch} AS`),
  );

  it.each([
    ['timestamp without time zone', 'timestamp with time zone'],
    ['timestamp(3) with time zone', 'timestamp(3) without time zone'],
    ['date', 'timestamp with time zone'],
    ['time without time zone', 'time with time zone'],
    ['timestamp with time zone[]', 'timestamp without time zone[]'],
    ['text', 'date'],
    ['character varying(40)', 'timestamp with time zone'],
    ['bytea', 'text'],
    ['text', 'double precision'],
    ['text', 'interval'],
    ['numeric(12,2)', 'money'],
  ])(
    'is not cast to %s if it is %s, because the cast would depend on the settings of the reader',
    (batch, stream) =>
      expect(swapped(column(batch), column(stream))).toMatch(
        /v is .*, not .*A cast would depend on settings of the reader's session/,
      ),
  );

  it('is judged by the base type if its type is a domain', () => {
    const domain = column('public.moment', 'timestamp with time zone');
    expect(swapped(domain, column('timestamp without time zone'))).toMatch(/would depend/);
    expect(swapped(domain, column('timestamp with time zone'))).toContain('"v"::public.moment AS');
  });
});
