// Tests how Sluice finds the tables in a query, and replaces them by stand-ins.
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { cteNames, referencesOf, replaceReferences } from '../../src/assess/sql/references.js';
import { emptyStandIn, fromSnapshot, givenRows, standIn } from '../../src/assess/sql/stand-in.js';

beforeAll(loadParser);

const rewritten = (query: string): string =>
  replaceReferences(query, referencesOf(query), ({ name }) =>
    name === 'orders' ? 'SELECT 1' : null,
  );

describe('the table names in a query', () => {
  it('are replaced, and keep the name that the rest of the query uses', () => {
    expect(rewritten('SELECT o.id FROM public.orders o JOIN stores ON true')).toBe(
      'SELECT o.id FROM (SELECT 1\n) o JOIN stores ON true',
    );
    expect(rewritten('SELECT orders.id FROM "orders", (SELECT * FROM orders) x')).toBe(
      'SELECT orders.id FROM (SELECT 1\n) AS "orders", (SELECT * FROM (SELECT 1\n) AS "orders") x',
    );
  });

  it('are found after multi-byte characters, and in CTEs, subqueries and set operations', () => {
    const query = `WITH é AS (SELECT 'ü' FROM orders) SELECT * FROM é UNION SELECT (SELECT 'x' FROM orders)`;
    expect(referencesOf(query).map(({ name }) => name)).toEqual(['orders', 'orders']);
    expect(rewritten(query).match(/SELECT 1/g)).toHaveLength(2);
    expect(cteNames(query)).toEqual(['é']);
  });

  it.each([
    ['WITH RECURSIVE r AS (SELECT 1 UNION SELECT * FROM r) SELECT * FROM r', /recursive/],
    ['SELECT * FROM orders TABLESAMPLE SYSTEM (10)', /TABLESAMPLE/],
    ['SELECT * FROM ONLY orders', /ONLY orders/],
    ['SELECT * FROM orders FOR UPDATE', /FOR UPDATE/],
    ['SELECT 1; SELECT 2', /not one statement/],
    ['SELECT * FROM U&"\\0061bc"', /cannot be replaced/],
    ['SELECT * FROM db.public.orders', /cannot be replaced/],
  ])('are refused, and the error names the reason, in the query: %s', (query, reason) =>
    expect(() => referencesOf(query)).toThrow(reason),
  );
});

describe('a stand-in', () => {
  const table = { sql: '"public"."orders"', columns: ['id', 'note'], key: ['id'] };

  it('is not needed if no row differs', () => {
    expect(standIn(table, [])).toBeNull();
  });

  it("contains the given rows with the types of the table, and the table's rows with other keys", () => {
    const rows = [
      { key: ['5'], values: [{ text: '5' }, { text: "it's" }] },
      { key: ['6'], values: null },
    ];
    expect(standIn(table, rows)).toBe(
      `SELECT "id", "note" FROM "public"."orders" WHERE ("id") NOT IN (('5'), ('6'))\n` +
        `UNION ALL SELECT (sluice_row).* FROM (VALUES (ROW('5', 'it''s')::"public"."orders")) AS sluice_rows (sluice_row)`,
    );
    expect(givenRows(table, [{ key: ['6'], values: null }])).toBeNull();
  });

  it('reads from the snapshot the values that a record omits', () => {
    expect(fromSnapshot(table, 'note', ['5'])).toEqual({
      sql: `(SELECT "note" FROM "public"."orders" WHERE "id" = '5')`,
    });
  });

  it('reads no table if it must contain no rows', () => {
    expect(emptyStandIn(table)).not.toContain('FROM "public"');
  });
});
