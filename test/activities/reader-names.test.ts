// Tests the patterns with which Sluice finds statements that read the batch's table. Also tests how
// the counts of pg_stat_statements show that such a statement was called.
import { describe, expect, it } from 'vitest';
import { calledSince, mentions } from '../../src/activities/cutover/batch-output-readers.js';

/**
 * Returns whether the pattern matches the statement. JavaScript does not know Postgres' class
 * `[:alnum:]`, so the function replaces it.
 */
const found = (pattern: string, statement: string): boolean =>
  new RegExp(pattern.replaceAll('[:alnum:]', 'a-z0-9'), 'i').test(statement);

describe("a statement that reads the batch's table", () => {
  const { names, writes } = mentions({ schema: 'We"ird S', table: 'Nightly "Sum"' });
  it('is found if the name of the table contains quotes, which the statement doubles', () => {
    expect(found(names, 'SELECT * FROM "We""ird S"."Nightly ""Sum""" AS n')).toBe(true);
    expect(found(names, 'SELECT * FROM "Nightly ""Sum"""')).toBe(true);
    expect(found(names, 'SELECT * FROM "Nightly ""Sums"""')).toBe(false);
  });
  it('is distinguished from a statement that writes the table', () => {
    expect(found(writes, 'INSERT INTO "We""ird S"."Nightly ""Sum""" SELECT 1')).toBe(true);
    expect(found(writes, 'SELECT * FROM "We""ird S"."Nightly ""Sum"""')).toBe(false);
  });
});

describe('a statement that reads the table, in the counts of pg_stat_statements', () => {
  const called = (calls: Readonly<Record<string, number>>, id: string, now: number): boolean =>
    calledSince({ calls }, [{ id, calls: now, said: '' }]).length > 0;

  it.each([
    ['was called again', 6, true],
    ['was not called', 5, false],
    ['was called after its count was reset', 2, true],
  ])('is a reader only if it was called since the earlier count: it %s', (_what, now, isReader) => {
    expect(called({ '10/1': 5 }, '10/1', now)).toBe(isReader);
  });

  it('is a reader if the earlier count does not contain it', () => {
    expect(called({}, '10/1', 1)).toBe(true);
  });

  it('is a reader if its text is hidden and the sum of all hidden calls grew, but not if it shrank', () => {
    expect(called({ hidden: 5 }, 'hidden', 4)).toBe(false);
    expect(called({ hidden: 5 }, 'hidden', 6)).toBe(true);
  });
});
