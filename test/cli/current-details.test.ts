// Tests the current details that the Web UI shows for a run, above all their first line.
import { describe, expect, it } from 'vitest';
import { currentDetails } from '../../src/workflows/run/status-view.js';
import { initialState, type State } from '../../src/workflows/run/state.js';
import { aSpec } from '../support/builders.js';

const connector = { kind: 'connector', name: 'bank' };

const details = (more: Partial<State>): string =>
  currentDetails(
    { ...initialState('run'), spec: aSpec(), ...more },
    'migration-bank',
    '2026-01-01T00:00:00Z',
  );

const headline = (more: Partial<State>): string => details(more).split('\n')[0]!;

describe('the current details', () => {
  it('name the objects that the migration handed over, and the command for the report', () => {
    const text = headline({ outcome: 'migrated', handedOver: [connector] });
    expect(text).toContain('connector bank');
    expect(text).toContain('sluice report bank');
  });

  it('say after a rollback where to find the reason, and how to begin again', () => {
    const text = headline({ outcome: 'rolled-back', phase: 'roll-back' });
    expect(text).toContain('sluice report bank');
    expect(text).toContain('sluice start');
    expect(details({ outcome: 'rolled-back', phase: 'roll-back' })).toContain('✔ roll-back');
  });

  it('name what could not be removed, and say how to remove it', () => {
    const text = headline({ outcome: 'rolled-back', leftovers: [connector] });
    expect(text).toContain('connector bank');
    expect(text).toContain('`sluice doctor --leftovers --remove`; remove by hand what it does not');
    expect(text).not.toContain('Nothing');
  });

  it('say after a failed window where to find the differences', () => {
    const lastWindow = { verdict: 'failed' } as NonNullable<State['lastWindow']>;
    expect(headline({ phase: 'validate', lastWindow })).toContain('sluice diff bank');
  });

  it.each(['inconclusive', 'errored'] as const)(
    'never say that there is nothing to do after a window that is %s',
    (verdict) => {
      const lastWindow = { number: 48, verdict, reason: '', at: '', durationMs: 0 };
      const text = headline({ phase: 'validate', lastWindow });
      expect(text).toContain(`window 48 is ${verdict}, so it proves nothing`);
      expect(text).not.toContain('Nothing to do');
      expect(text.includes('sluice diff bank --window 48')).toBe(verdict === 'inconclusive');
    },
  );

  it('say in the soak how to roll back', () => {
    const soaking = { phase: 'soak', committedAt: '2026-01-01T00:00:00Z' } as const;
    expect(headline(soaking)).toContain('sluice rollback bank');
  });
});
