// Tests which verdicts still count if the facts changed during the window. Facts are, for example,
// the columns of a table and the files of its rows.
import { describe, expect, it } from 'vitest';
import { storageFact, type Facts } from '../../src/domain/evidence/epoch.js';
import { voidedBy } from '../../src/domain/evidence/restart-in-window.js';

const STORAGE = storageFact('public.t');
const before: Facts = { [STORAGE]: ['public.t in file 1'], 'columns of public.t': ['a int4'] };
const passed = { verdict: 'passed', reason: '0 differences in 3 keys' } as const;
const failed = { verdict: 'failed', reason: 'extraneous 300 rows > 0 allowed' } as const;
const errored = { verdict: 'errored', reason: 'no answer' } as const;

const changed = (more: Facts) => ({ before, after: { ...before, ...more } });
const rewritten = changed({ [STORAGE]: ['public.t in file 2'] });
const attached = changed({ [STORAGE]: ['public.t in file 1', 'public.t_2 in file 2'] });
const altered = changed({ 'columns of public.t': ['a int8'] });

describe('a window whose facts are read before and after it', () => {
  it('keeps every verdict if no fact differs', () => {
    for (const verdict of [passed, failed, errored])
      expect(voidedBy(verdict, changed({}))).toEqual(verdict);
  });
  it('is inconclusive if a fact changed and it would otherwise pass', () => {
    for (const around of [rewritten, attached, altered])
      expect(voidedBy(passed, around)).toMatchObject({
        verdict: 'inconclusive',
        reason: expect.stringMatching(/^changed during the window: (storage|columns) of public\.t/),
      });
  });
  it('is inconclusive, not failed, if a table was rewritten, because it may have seen an empty table', () =>
    expect(voidedBy(failed, rewritten)).toEqual({
      verdict: 'inconclusive',
      reason:
        'extraneous 300 rows > 0 allowed, but this proves nothing: changed during the window: storage of public.t: no longer public.t in file 1; now public.t in file 2',
    }));
  it('stays failed if every row stayed in its file, and stays errored in any case', () => {
    for (const around of [attached, altered]) expect(voidedBy(failed, around)).toEqual(failed);
    expect(voidedBy(errored, rewritten)).toEqual(errored);
  });
});
