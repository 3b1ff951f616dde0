// Tests how many free replication slots a migration needs.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { freeSlots } from '../../src/activities/checks/source-checks.js';
import type { TableCatalog } from '../../src/clients/postgres/catalog.js';
import { aPlan } from '../support/builders.js';

const answer = (free: number, rows: number, validation: object = {}, key = 'int8') =>
  freeSlots(
    {
      query: () => Promise.resolve({ rows: [{ used: '1', most: String(1 + free) }] }),
    } as unknown as pg.ClientBase,
    aPlan({ spec: { validation } }),
    [
      {
        name: { schema: 'public', table: 'orders' },
        columns: [{ name: 'id', type: key }],
        key: ['id'],
        rowsEstimate: rows,
      } as unknown as TableCatalog,
    ],
  );

describe('free replication slots', () => {
  it('must be two if the tables are small', async () => {
    expect(await answer(2, 19_999)).toBe('2 replication slots free');
    expect(await answer(1, 0)).toMatchObject({
      detail: expect.stringContaining('2 are needed') as string,
    });
  });
  it('must be two if no witness is possible, for example because a key is not one integer', async () => {
    expect(await answer(2, 20_000, {}, 'uuid')).toBe('2 replication slots free');
    const tolerances = { 'public.orders.id': { abs: '1' } };
    expect(await answer(2, 20_000, { compare: { tolerances } })).toBe('2 replication slots free');
  });

  it.each<[string, number, object]>([
    ['the cut-over of large tables uses a witness', 20_000, {}],
    ['later windows use a witness', 0, { laterWindows: 'witness' }],
  ])('must be three if %s', async (_why, rows, validation) => {
    expect(await answer(3, rows, validation)).toBe('3 replication slots free');
    expect(await answer(2, rows, validation)).toMatchObject({
      detail:
        '2 replication slots free, and 3 are needed, one of them for a witness (1 of 3 are used)',
    });
  });
});
