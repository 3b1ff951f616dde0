// Tests which errors of the commit's transaction mean that nothing was committed. After any other
// error, only the lease row shows whether the commit happened.
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../src/activities/cutover/commit.js';
import { Refused } from '../../src/activities/ownership/lease-store.js';
import { Problem, type FailureCode } from '../../src/domain/failure.js';

const LIMITS = { overallMs: 20_000 };
const problem = (code: FailureCode) => new Problem(code, 'what', 'remedy');

describe('the commit', () => {
  it.each([
    ['a failed condition', new Refused('the veto is set'), 'the veto is set'],
    ['a route that cannot switch', problem('route-unexpected'), 'what (remedy)'],
    ['a missing privilege', problem('permission-denied'), 'what (remedy)'],
    ['a run log that changed after the recheck', problem('preflight-failed'), 'what (remedy)'],
  ])('counts as refused, with nothing committed, after %s', (_what, error, reason) =>
    expect(refusalOf(error, LIMITS)).toBe(reason),
  );

  it.each([problem('unreachable'), problem('unexpected'), new Error('socket hang up')])(
    'does not count as refused after an error that leaves its result open: %o',
    (error) => expect(refusalOf(error, LIMITS)).toBeNull(),
  );
});
