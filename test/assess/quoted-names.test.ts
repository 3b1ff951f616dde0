// Tests names of tables that need quotes, such as names with capitals or dots. An analysis must
// name such a table as a spec does, so that it can be measured, sliced and drafted.
import { beforeAll, describe, expect, it } from 'vitest';
import { analyseSql, loadParser } from '../../src/assess/sql/analyse.js';
import { planSlice, sliceQuery, type SliceTable } from '../../src/assess/sql/slice.js';
import { startingPoints } from '../../src/assess/starting-points/index.js';
import { resultName, type TableFacts } from '../../src/assess/facts.js';
import { parseTableName, specName } from '../../src/domain/migration/names.js';
import { GOOD, PAY, portfolio } from './good-process.js';

const process = (more: object) => portfolio({ ...GOOD, ...more }).spec.processes[0]!;

beforeAll(loadParser);

const QUERY =
  'SELECT o.id, count(*) AS n FROM "Orders" o JOIN "Old Shop"."a.b" x ON x.id = o.id GROUP BY o.id';
const ORDERS = 'public."Orders"';
const ODD = '"Old Shop"."a.b"';

describe('a table whose name needs quotes', () => {
  it('has one name, which parses back to the same table', () => {
    for (const name of [
      { schema: 'public', table: 'orders$1' },
      { schema: 'public', table: 'Orders' },
      { schema: 'a.b', table: 'c' },
      { schema: 'A', table: 'say "hi"' },
      { schema: 'public', table: 'größe' },
    ])
      expect(parseTableName(specName(name))).toEqual(name);
    expect(specName({ schema: 'public', table: 'order' })).toBe('public.order');
  });

  it('is named by an analysis as a spec names it', () => {
    expect(analyseSql(QUERY).tables).toEqual([ODD, ORDERS]);
    const filled = analyseSql(`INSERT INTO "Daily" ${QUERY}`, { output: 'public."Daily"' });
    expect(filled.writes).toEqual(['public."Daily"']);
  });

  it('is the result of its process, however the portfolio spells it', () => {
    const result = { table: '"public"."daily"', key: [] };
    expect(resultName(process({ result }))).toBe('public.daily');
  });

  it('is sliced in the query, also through a foreign key', () => {
    const tables: SliceTable[] = [
      { table: ORDERS, columns: ['id', 'store'], key: ['id'], parents: [] },
      {
        table: ODD,
        columns: ['id'],
        key: ['id'],
        parents: [{ table: ORDERS, columns: ['id'], references: ['id'] }],
      },
    ];
    const sliced = sliceQuery(QUERY, planSlice('store = 1', tables, ['id']));
    expect(sliced).toContain('(SELECT * FROM "Orders" WHERE (store = 1)) o');
    expect(sliced).toContain(
      'FROM "Old Shop"."a.b" WHERE NOT EXISTS (SELECT FROM "public"."Orders" WHERE "public"."Orders"."id" = "Old Shop"."a.b"."id"',
    );
  });

  it('has valid names in the drafts of a pipeline', () => {
    const columns = [{ ...PAY.columns[0]!, name: 'id', type: 'int4', declared: 'integer' }];
    const facts = (table: string): TableFacts => ({ ...PAY, table, key: ['id'], columns });
    const points = startingPoints(
      process({ query: { sql: QUERY } }),
      [facts(ORDERS), facts(ODD)],
      null,
    );
    const all = points.map(({ text }) => text).join('\n');
    expect(all).toContain('${topic:"Old Shop"."a.b"}');
    expect(all).toContain('FROM `Orders` AS `o`');
    expect(all).toMatch(/KTable<String, String> aB = .*"\.Old_Shop\.a\.b", .*"read-a\.b"/);
  });
});
