// Tests that a payload from any client is checked before it is used.
import { describe, expect, it } from 'vitest';
import {
  checkDecision,
  checkRollBack,
  checkUpdate,
} from '../../src/domain/decisions/message-payloads.js';

describe('a payload from any client', () => {
  it.each([[null], ['ann'], [[]], [{}], [{ approver: 7 }], [{ approver: 'x'.repeat(3000) }]])(
    'is refused, and nothing is thrown, if it is invalid: %j',
    (payload) => {
      const checked = checkDecision(payload, 'approve');
      expect(checked.ok).toBe(false);
    },
  );
  it.each(['', ' ', '\t\n', '\u00a0'])(
    'is refused if the name of its approver is blank: %j',
    (approver) => {
      for (const decision of ['approve', 'reject'] as const)
        expect(checkDecision({ approver }, decision)).toMatchObject({
          ok: false,
          reason: 'approver is missing',
        });
    },
  );
  it('names the same person with and without spaces around the name', () =>
    expect(checkDecision({ approver: ' ann\n' }, 'approve')).toMatchObject({
      value: { approver: 'ann' },
    }));
  it('for a Temporal update needs a decision, and evidence if it approves', () => {
    expect(checkUpdate({ approver: 'ann' })).toMatchObject({
      ok: false,
      reason: 'decision must be approve or reject',
    });
    expect(checkUpdate({ decision: 'approve', approver: 'ann' })).toMatchObject({
      ok: false,
      reason: 'evidenceId is missing',
    });
    expect(
      checkUpdate({ decision: 'reject', approver: 'ann', comment: 'no', token: null }).ok,
    ).toBe(true);
  });
  it('for a rollback needs a person and a reason', () => {
    expect(checkRollBack({ by: 'ann', reason: 'slow' })).toEqual({
      ok: true,
      value: { by: 'ann', reason: 'slow', token: null },
    });
    expect(checkRollBack({ by: 'ann' }).ok).toBe(false);
  });
});
