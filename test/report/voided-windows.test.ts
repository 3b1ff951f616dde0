// Tests a window whose counts mean `failed`, but which is inconclusive because a table was
// rewritten during the window. `report verify` must accept it. Without this reason, `report verify`
// must accept no other verdict for such counts.
import { describe, expect, it } from 'vitest';
import { storageFact } from '../../src/domain/evidence/epoch.js';
import { voidedBy } from '../../src/domain/evidence/restart-in-window.js';
import { wrongVerdicts } from '../../src/report/verify-links.js';
import { aSource } from '../support/report-source.js';

/** Returns a report's source. Its window 4 has this verdict, although its counts mean `failed`. */
function withFourth(verdict: 'inconclusive' | 'passed', reason: string) {
  const source = aSource(4);
  const { document } = structuredClone(source.evidence[3]!) as {
    document: { subjects: { verdict: string }[] };
  };
  document.subjects[0]!.verdict = verdict;
  return {
    ...source,
    windows: source.windows.map((w) => (w.number === 4 ? { ...w, verdict, reason } : w)),
    evidence: source.evidence.map((e) => (e.number === 4 ? { ...e, document } : e)),
  };
}

describe('a window that failed by its counts', () => {
  const failed = { verdict: 'failed', reason: 'mismatched 1 row > 0 allowed' } as const;

  it('may be inconclusive if a table was rewritten during the window', () => {
    const storage = storageFact('public.t');
    const around = { before: { [storage]: ['file 1'] }, after: { [storage]: ['file 2'] } };
    const { verdict, reason } = voidedBy(failed, around);
    expect(verdict).toBe('inconclusive');
    expect(wrongVerdicts(withFourth('inconclusive', reason))).toEqual([]);
  });

  it('may not be inconclusive for any other reason, and may never be passed', () => {
    for (const verdict of ['inconclusive', 'passed'] as const)
      expect(wrongVerdicts(withFourth(verdict, failed.reason))).toEqual([
        expect.stringContaining('its counts and proofs mean failed'),
      ]);
  });
});
