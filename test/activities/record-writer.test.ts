// Tests that a row that cannot be written as a record ends the activity without a retry, because a
// retry would find the same row.
import { describe, expect, it } from 'vitest';
import { recordWriter } from '../../src/activities/runtime/record-writer.js';
import { FAILURES } from '../../src/domain/failure.js';

const table = (type: string) => ({
  database: 'shop',
  schema: 'public',
  table: 'orders',
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'grid', type },
  ],
  key: ['id'],
  server: 's',
});

describe('a row that cannot be written as a record', () => {
  it('is refused permanently if its array has two dimensions, with table, column and remedy', () => {
    const record = recordWriter(table('int4[]'), 'change the value');
    expect(record(['1', '{1,2}']).value).toContain('"after":{"id":1,"grid":[1,2]}');
    const refused = expect.objectContaining({
      code: 'unsupported',
      message: 'public.orders: column grid: only an array of one dimension can be written',
      remedy: 'change the value',
    }) as Error;
    expect(() => record(['2', '{{1,2},{3,4}}'])).toThrow(refused);
    expect(FAILURES.unsupported.retryable).toBe(false);
  });

  it('makes its table refused before the first row, if the type of a column cannot be written', () => {
    expect(() => recordWriter(table('point'), 'ignore it')).toThrow(
      expect.objectContaining({ code: 'unsupported', remedy: 'ignore it' }) as Error,
    );
  });
});
