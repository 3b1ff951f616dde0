// The page for stakeholders: nothing from outside becomes markup, nothing is loaded or run, and it stays small.
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/domain/ledger.js';
import type { WindowRow } from '../../src/domain/window.js';
import { buildReport, type Report } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/html.js';
import { renderMarkdown } from '../../src/report/markdown.js';

const EVIL = `</style><script>alert(1)</script><img src=x onerror="alert('2')">`;

function aReport(windows: number, text = 'public.accounts'): Report {
  const status: Status = {
    apiVersion: 'sluice.dev/v1alpha1',
    id: 'migration-x',
    name: text,
    iteration: 1,
    generation: 1,
    phase: 'validate',
    outcome: null,
    blocked: { code: 'unreachable', since: '2026-11-22T10:00:00Z', detail: text, remedy: text },
    paused: false,
    epoch: 1,
    needsApproval: false,
    evidenceId: null,
    lag: { bytes: 0, records: null, ms: 1 },
    tables: [],
    approvals: [{ approver: text, decision: 'approve', evidenceId: text, accepted: false, reason: text, authenticated: false, at: '2026-11-22T10:00:00Z' }],
    route: { side: 'batch', observedAt: '2026-11-22T10:00:00Z' },
    handedOver: [{ kind: 'slot', name: text }],
    leftovers: [{ kind: 'topic', name: text }],
    next: [],
  };
  const rows = Array.from({ length: windows }, (_, at): WindowRow => ({
    number: at + 1,
    subject: text,
    verdict: at % 7 === 3 ? 'failed' : 'passed',
    reason: text,
    mode: 'exact',
    at: '2026-11-22T10:00:00Z',
    durationMs: 5,
    position: '0/1',
    compared: 10,
    matched: 10,
    missing: 0,
    extraneous: 0,
    mismatched: 0,
    unstable: 0,
    unknown: null,
  }));
  const evidence = rows.map(({ number }) => ({ number, digest: 'd'.repeat(64), chain: 'c'.repeat(64), document: {} }));
  const events = [
    { id: '1', at: '2026-11-22T10:00:00Z', kind: 'phase', detail: 'validate' },
    { id: '2', at: '2026-11-22T10:01:00Z', kind: 'note', detail: text },
  ];
  return buildReport({ status, planHash: 'abc', startedAt: '2026-11-22T09:00:00Z' }, rows, evidence, events);
}

describe('the HTML report', () => {
  it('lets no text from outside become markup', () => {
    const html = renderHtml(aReport(3, EVIL));
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(renderMarkdown(aReport(3, EVIL))).not.toMatch(/[^\\]<script/);
  });
  it('loads and runs nothing', () => {
    const html = renderHtml(aReport(3));
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<(script|link|iframe|object|img)\b|\son\w+=|url\(|@import/);
  });
  it('says what is blocked, who decided unauthenticated, and what is left over', () => {
    const html = renderHtml(aReport(3));
    for (const text of ['Blocked (unreachable)', 'anybody who may signal the workflow', 'LEFT OVER']) expect(html).toContain(text);
  });
  it('of a thousand windows stays under a megabyte', () => expect(renderHtml(aReport(1000)).length).toBeLessThan(1_000_000));
});
