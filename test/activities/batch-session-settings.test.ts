// Tests a check that runs the batch's query again with other settings. It uses the settings of the
// batch's own sessions that differ from those of a window's session and may change the result.
// The server's catalog is a fake: it answers one query for settings, and one for the batch's roles.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { sessionsOfBatch } from '../../src/activities/checks/queries/batch-session-settings.js';
import type { ResolvedPlan } from '../../src/domain/plan/resolved-plan.js';

const plan = {
  tables: [{ text: 'public.sales', sql: '"public"."sales"' }],
  batch: { result: { table: 'public.totals' } },
  route: { batchRole: 'nightly' },
  spec: {},
} as unknown as ResolvedPlan;
const PINNED = [{ name: 'DateStyle', ours: 'ISO, YMD', preset: 'ISO, MDY' }];

/**
 * Returns the names of the settings with which the query is run again: one list for the settings of
 * the database, and one for those of the role.
 */
async function triedFor(sql: string, role: Record<string, string> = {}): Promise<string[][]> {
  const roles = [{ role: 'nightly', settings: JSON.stringify(role) }];
  const query = (text: string): unknown =>
    Promise.resolve({ rows: text.includes('pg_settings') ? PINNED : roles });
  const sessions = await sessionsOfBatch({ query } as unknown as pg.ClientBase, plan, sql);
  return sessions.map(({ settings }) => settings.map(([name]) => name));
}

describe('the settings under which the query of the batch is run again', () => {
  it.each([
    "SELECT id FROM sales -- the shop's sales\nWHERE day < '01/02/03'",
    'SELECT id, CAST(day AS text) FROM sales',
    'SELECT id, day || name FROM sales',
    "SELECT shop, array_to_string(array_agg(day), ',') FROM sales GROUP BY 1",
    "SELECT id, json_build_object('span', span) FROM sales",
    'SELECT id, XMLFOREST(span) FROM sales',
    'SELECT id, named(day) FROM sales',
    'SELECT id, day FROM a_view',
  ])('include DateStyle if the query may convert a value to or from text: %s', async (sql) => {
    expect(await triedFor(sql)).toEqual([['DateStyle'], ['DateStyle']]);
  });

  it('exclude DateStyle if the query converts no value to or from text', async () => {
    const sql = `SELECT shop, sum(cents), date_trunc('day', max(at)), extract(year FROM min(at)) FROM public.sales
      WHERE status = 'paid' GROUP BY 1 -- the shop's sales`;
    expect(await triedFor(sql)).toEqual([]);
  });

  it('include a custom setting of the role only if the query names it', async () => {
    const role = { 'shop.region': 'north', 'other.name': '1', transform_null_equals: 'on' };
    const sql = "SELECT id FROM sales WHERE region = current_setting('Shop.Region', true)";
    // transform_null_equals is not a custom setting, and may change the result of any query
    expect((await triedFor(sql, role)).at(-1)).toEqual([
      'DateStyle',
      'shop.region',
      'transform_null_equals',
    ]);
  });
});
