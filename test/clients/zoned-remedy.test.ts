// Tests the remedy for a run log whose time columns have no time zone and so name no moments. The
// remedy is an SQL statement only if this statement gives the columns the right values.
import { describe, expect, it } from 'vitest';
import { zonedRemedy } from '../../src/clients/postgres/batch-runs.js';

const [TIMESTAMP, DATE, TEXT] = ['timestamp', 'date', 'text'].map((type, at) => ({
  name: ['cut_at', 'started_at', 'finished_at'][at]!,
  type,
})) as [Column, Column, Column];
type Column = { readonly name: string; readonly type: string };

describe('the remedy for a run log without time zones', () => {
  it.each(['r', 'p'])('is an ALTER TABLE for timestamps of a table (relkind %s)', (kind) =>
    expect(zonedRemedy('public.runs', kind, [TIMESTAMP])).toMatch(
      /^ALTER TABLE public\.runs ALTER cut_at TYPE timestamptz USING cut_at AT TIME ZONE 'ZONE', where ZONE is/,
    ),
  );
  it.each([
    ['a view', 'v', [TIMESTAMP]],
    ['a materialized view', 'm', [TIMESTAMP]],
    ['a foreign table', 'f', [TIMESTAMP]],
    ['a date', 'r', [DATE]],
    ['a text beside a timestamp', 'r', [TIMESTAMP, TEXT]],
  ])('is in words for %s, which ALTER TABLE cannot convert', (_what, kind, columns) => {
    const remedy = zonedRemedy('public.runs', kind, columns);
    expect(remedy).toMatch(/^let batch\.runs\.table name a table or a view whose columns/);
    expect(remedy).not.toContain('ALTER');
  });
});
