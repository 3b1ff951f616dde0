// Tests how the condition of a slice becomes conditions for tables, and for the batch's query.
import { parseSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { planSlice, sliceQuery, type SliceTable } from '../../src/assess/sql/slice.js';
import { specName } from '../../src/domain/migration/names.js';

beforeAll(loadParser);

const orders: SliceTable = {
  table: 'public.orders',
  columns: ['id', 'store_id', 'ordered_at'],
  key: ['id'],
  parents: [],
};
const items: SliceTable = {
  table: 'public.items',
  columns: ['id', 'order_id', 'price'],
  key: ['id'],
  parents: [{ table: 'public.orders', columns: ['order_id'], references: ['id'] }],
};
const stores: SliceTable = {
  table: 'public.stores',
  columns: ['id', 'name'],
  key: ['id'],
  parents: [],
};
const plan = (condition: string) =>
  planSlice(condition, [orders, items, stores], ['day', 'store_id']);

describe('a slice', () => {
  it('applies each part of its condition only to tables, and to a result, with the columns of that part', () => {
    const { conditions, result } = plan("day >= '2026-11-01' AND store_id IN (1, 2)");
    expect(conditions.get('public.orders')).toBe('(store_id IN (1, 2))');
    expect(result).toBe("(day >= '2026-11-01') AND (store_id IN (1, 2))");
    expect(conditions.has('public.stores')).toBe(false);
  });

  it('includes the rows that refer to rows of the slice, and rows that refer to no row', () => {
    expect(plan('store_id = 1').conditions.get('public.items')).toBe(
      `NOT EXISTS (SELECT FROM "public"."orders" WHERE "public"."orders"."id" = "public"."items"."order_id" AND ((store_id = 1)) IS NOT TRUE)`,
    );
  });

  it('keeps BETWEEN, OR and parentheses together', () => {
    expect(
      plan('store_id BETWEEN 1 AND 2 AND (price > 3 OR price < 1)').conditions.get('public.orders'),
    ).toBe('(store_id BETWEEN 1 AND 2)');
    expect(plan('(store_id = 1 AND store_id = 2)').conditions.get('public.orders')).toBe(
      '((store_id = 1 AND store_id = 2))',
    );
  });

  it.each([
    ['store = 1', /neither a table nor the result's key has a column store/],
    ['name = price', /no single table has name and price/],
    ['1 = 1', /names no column/],
    ['store_id =', /is not an SQL condition/],
    ['store_id = 1; DROP TABLE orders', /more than one statement/],
    ['store_id IN (SELECT 1)', /must not contain sub-queries/],
  ])('is refused, and the error says what is wrong with the condition: %s', (condition, message) =>
    expect(() => plan(condition)).toThrow(message),
  );

  it('replaces tables in the query, with or without alias and schema, but no CTE of the same name', () => {
    const slice = plan('store_id = 1');
    expect(
      sliceQuery('SELECT o.id FROM public.orders o JOIN stores s ON s.id = o.store_id;', slice),
    ).toBe(
      'SELECT * FROM (SELECT o.id FROM (SELECT * FROM public.orders WHERE (store_id = 1)) o JOIN stores s ON s.id = o.store_id) AS sluice_slice WHERE (store_id = 1)',
    );
    expect(
      sliceQuery('WITH orders AS (SELECT 1 AS store_id) SELECT store_id FROM orders', slice),
    ).not.toContain('WHERE (store_id = 1)) AS');
    expect(
      sliceQuery('SELECT "orders".id AS store_id FROM "public"."orders"', { ...slice, result: '' }),
    ).toBe(
      'SELECT "orders".id AS store_id FROM (SELECT * FROM "public"."orders" WHERE (store_id = 1)) AS "orders"',
    );
  });

  it.each([
    ['straße', 'SELECT id FROM straße', 'straße', ' AS "straße"'],
    ['straße', 'SELECT s.id FROM public . /* c */ straße s', 'public . /* c */ straße', ' s'],
    ['ø😀', 'SELECT s.id FROM ø😀 s', 'ø😀', ' s'],
    ['a.b', 'SELECT id FROM public."a.b"', 'public."a.b"', ' AS "a.b"'],
    ['data', 'SELECT s.id FROM U&"d!0061ta" UESCAPE \'!\' s', 'U&"d!0061ta" UESCAPE \'!\'', ' s'],
    ['orders', 'SELECT s.id FROM ONLY orders s', 'ONLY orders', ' s'],
    ['orders', 'SELECT s.id FROM only (public.orders) AS s', 'only (public.orders)', ' AS s'],
  ])('replaces the table %s in the query %s', (table, query, written, after) => {
    const conditions = new Map([[specName({ schema: 'public', table }), 'id = 1']]);
    const begin = query.slice(0, query.indexOf(written));
    const sliced = sliceQuery(query, { conditions, result: '' });
    expect(sliced).toBe(`${begin}(SELECT * FROM ${written} WHERE id = 1)${after}`);
    expect(() => parseSync(sliced)).not.toThrow();
  });
});
