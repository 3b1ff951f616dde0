// Tests which entries of `validation.compare` doctor accepts, by the columns of each subject.
import { describe, expect, it } from 'vitest';
import {
  judgeNames,
  type NamedSubject,
} from '../../src/activities/checks/compared-column-names.js';

const column = (name: string, type: string) => ({ name, type });
const SUBJECTS = new Map<string, NamedSubject>([
  ['public.orders', { columns: [column('id', 'int8'), column('day', 'date')], key: ['id'] }],
  [
    'result',
    {
      columns: [column('day', 'date'), column('id', 'int8'), column('revenue', 'numeric')],
      key: ['day', 'id'],
    },
  ],
]);
const judge = (ignore: readonly string[], tolerant: readonly string[] = []) =>
  judgeNames(SUBJECTS, {
    ignore,
    tolerances: Object.fromEntries(tolerant.map((name) => [name, { abs: '1' }])),
  });

describe('validation.compare', () => {
  it.each([
    ['an ignored column', ['public.orders.id'], []],
    ['a tolerance', [], ['id']],
  ])(
    'fails for a column that only keys contain, because %s has no effect',
    (_what, ignore, tolerant) =>
      expect(judge(ignore, tolerant)).toMatchObject({
        detail: expect.stringContaining('because they belong to a key') as string,
        remedy: 'remove them from validation.compare',
      }),
  );
  it('passes for a column that one subject has outside of its key', () =>
    expect(judge(['day'], ['revenue'])).toBe('these columns exist: day, revenue'));
  it('fails for a tolerance on a text, and for a column that does not exist', () => {
    expect(judge([], ['day'])).toMatchObject({
      detail: expect.stringContaining('not numbers: day') as string,
    });
    expect(judge(['nope'])).toMatchObject({
      detail: expect.stringContaining('do not exist: nope') as string,
    });
  });
});
