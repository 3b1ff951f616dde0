// Tests that `report verify` finds a status that the ledger does not support, and accepts an
// earlier status of the same run.
import { describe, expect, it } from 'vitest';
import { buildReport, type Report, type ReportSource } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/report-page.js';
import type { AuditEvent } from '../../src/domain/audit.js';
import { remembered } from '../../src/domain/decisions/gate.js';
import type { Approval } from '../../src/domain/evidence/ledger-rows.js';
import { ok } from '../../src/domain/values/or-reason.js';
import { anchored, readReport, verifyReport } from '../../src/report/verify.js';
import { aSource } from '../support/report-source.js';

type Status = Report['status'];
const VERSION = '1';
const source = aSource(10);
const ended = withStatus(source, { outcome: 'rolled-back' });

function withStatus(of: ReportSource, change: Partial<Status>): ReportSource {
  return { ...of, status: { ...of.status, ...change } };
}

/** Returns the checks that fail if the page shows `shown` and the ledger contains `ledger`. */
function broken(shown: ReportSource, ledger: ReportSource): string[] {
  const page = renderHtml(buildReport(shown, { version: VERSION, showValues: false }));
  const report = readReport(page);
  if (!report.ok) throw new Error(report.reason);
  return verifyReport(report.value, ledger, VERSION)
    .filter((f) => !f.holds)
    .map((f) => f.what);
}

describe('report verify', () => {
  it("does not say that the ledger equals the run's history if the ledger has more windows", () => {
    const anchors = source.evidence.map(({ number, chain }) => ({ number, chain }));
    expect(anchored(source.evidence, ok(anchors)).holds).toBe(true);
    expect(anchored(source.evidence, ok(anchors.slice(0, 8)))).toMatchObject({
      holds: null,
      detail: expect.stringContaining('2 of 10 windows (the first is window 9)') as string,
    });
    expect(anchored(source.evidence, ok([{ number: 1, chain: 'another' }])).holds).toBe(false);
  });
  it.each<[string, Partial<Status>]>([
    ['an object that was left', { leftovers: [] }],
    ['an object that was handed over', { handedOver: [] }],
    ['the side that consumers read', { route: { side: 'stream', observedAt: 'later' } }],
    ['the last phase', { phase: 'complete' }],
    ['the number of the epoch', { epoch: 7 }],
  ])('finds a changed status of a run that has ended: %s', (_what, change) => {
    expect(broken(ended, ended)).toEqual([]);
    expect(broken(withStatus(ended, change), ended)).toEqual(['decisions']);
  });
  it.each<[string, Partial<Status>]>([
    ['a phase', { phase: 'soak' }],
    ['an epoch', { epoch: 7 }],
    ['a route to the stream', { route: { side: 'stream', observedAt: 'later' } }],
  ])('finds %s that a live run has not reached', (_what, change) => {
    expect(broken(withStatus(source, change), source)).toEqual(['decisions']);
  });
  it('accepts old refused approvals that a long run keeps only in the audit, but no invented one', () => {
    const refusal = (minute: number) => ({
      approver: 'eve',
      decision: 'approve' as const,
      evidenceId: null,
      accepted: false,
      reason: 'not an approver',
      authenticated: false,
      at: `2026-07-01T00:${String(minute).padStart(2, '0')}:00.000Z`,
    });
    const refusals = Array.from({ length: 55 }, (_, at) => refusal(at));
    const event = (
      { approver: by, decision: kind, evidenceId: _none, ...more }: Approval,
      at: number,
    ) => ({ ...more, kind, by, comment: null, id: `refused/${at}` }) as AuditEvent;
    const shown = withStatus(source, { approvals: refusals });
    const now = {
      ...withStatus(source, { approvals: remembered(shown.status.approvals) }),
      events: [...source.events, ...refusals.map(event)],
    };
    expect(now.status.approvals.length).toBeLessThan(shown.status.approvals.length);
    expect(broken(shown, now)).toEqual([]);
    const invented = [...shown.status.approvals, refusal(58)];
    expect(broken(withStatus(shown, { approvals: invented }), now)).toEqual(['decisions']);
  });
  it('finds a key that occurs twice in a JSON report, because a person may read either value', () => {
    const text = JSON.stringify(buildReport(source, { version: VERSION, showValues: false }));
    expect(readReport(text)).toMatchObject({ ok: true });
    for (const twice of [
      text.replace('"verdicts":', '"verdicts":{"failed":0},"verdicts":'),
      text.replace('"failed":', '"failed" : 0, "failed":'),
      text.replace('"kind":"Report"', '"k\\u0069nd":"Report","kind":"Report"'),
    ])
      expect(readReport(twice)).toMatchObject({
        ok: false,
        reason: expect.stringContaining('the same key twice') as string,
      });
  });
  it('accepts an earlier report of a run that has ended since', () => {
    expect(broken(source, ended)).toEqual([]);
  });
});
