// Tests the report of a migration as an HTML page and as Markdown. No text from outside becomes
// markup. The page loads nothing, runs no script and stays small.
import { auditEvent, type AuditEntry } from '../../src/domain/audit.js';
import { describe, expect, it } from 'vitest';
import { buildReport, type Report } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/report-page.js';
import { renderMarkdown } from '../../src/report/report-markdown.js';
import { aSource } from '../support/report-source.js';

const EVIL = `</style><script>alert(1)</script><img src=x onerror="alert('2')">`;

const aReport = (windows: number, text?: string): Report =>
  buildReport(aSource(windows, text), { version: '1', showValues: false });

describe('the report as HTML and as Markdown', () => {
  it('lets no text from outside become markup', () => {
    const html = renderHtml(aReport(3, EVIL));
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(renderMarkdown(aReport(3, EVIL))).not.toMatch(/[^\\]<script/);
  });
  it('loads nothing and runs no script', () => {
    const html = renderHtml(aReport(3));
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<(script|link|iframe|object|img)\b|\son\w+=|url\(|@import/);
  });
  it('shows a block, the missing authentication of decisions, and leftovers', () => {
    const html = renderHtml(aReport(3));
    for (const text of [
      'Blocked (unreachable)',
      'everyone who may signal the workflow',
      'LEFT OVER',
    ])
      expect(html).toContain(text);
  });
  it('masks the values of differing rows unless a person asks for the values', () => {
    expect(renderHtml(aReport(3))).not.toContain('a secret');
    expect(renderHtml(buildReport(aSource(3), { version: '1', showValues: true }))).toContain(
      'a secret',
    );
  });
  it("shows the approver's comment, the time that the run was blocked after the commit, and the soak", () => {
    const source = aSource(1);
    const at = (minute: number): string =>
      `2026-11-22T10:${String(minute).padStart(2, '0')}:00.000Z`;
    const event = (minute: number, entry: AuditEntry) => auditEvent(`${minute}`, at(minute), entry);
    const denied = {
      kind: 'blocked',
      code: 'permission-denied',
      problem: 'permission denied for table totals',
    } as const;
    const events = [
      event(1, { kind: 'blocked', code: 'unreachable', problem: 'Kafka is away' }),
      event(2, { kind: 'unblocked', code: 'unreachable' }),
      event(10, { kind: 'committed', evidenceId: 'ev-1', rows: null, after: null }),
      event(11, denied),
      event(12, denied),
      event(14, { kind: 'unblocked', code: 'permission-denied' }),
      event(15, { kind: 'route', side: 'stream' }),
      event(20, {
        kind: 'complete-early',
        by: 'ann',
        authenticated: false,
        accepted: true,
        reason: '2 of 2: bob and ann',
        comment: 'year end',
      }),
      event(21, { kind: 'phase', phase: 'complete' }),
    ];
    const comment = 'green for a week, rehearsed in 2 s';
    const approvals = source.status.approvals.map((a) => ({ ...a, comment }));
    const status = { ...source.status, outcome: 'migrated' as const, blocked: null, approvals };
    const options = { version: '1', showValues: false };
    const report = buildReport({ ...source, status, events }, options);
    for (const text of [renderHtml(report), renderMarkdown(report)]) {
      expect(text).toContain(comment);
      expect(text).toContain('It was blocked for 3 min 0 s after the commit');
      expect(text).toContain('permission denied for table totals');
      expect(text).toContain('Kafka is away');
      expect(text).toMatch(
        /The soak was planned to last 24h and 3 passed windows; it lasted 6 min 0 s from .*, which is less than planned \\?\(ann/,
      );
    }
  });
  it('counts the soak until the phase `complete`, even if this phase observes the route again', () => {
    const at = (minute: number): string =>
      `2026-11-22T10:${String(minute).padStart(2, '0')}:00.000Z`;
    const event = (minute: number, entry: AuditEntry) => auditEvent(`${minute}`, at(minute), entry);
    const events = [
      event(1, { kind: 'committed', evidenceId: 'ev-1', rows: null, after: null }),
      event(2, { kind: 'route', side: 'stream' }),
      event(12, { kind: 'phase', phase: 'complete' }),
      event(13, { kind: 'route', side: 'batch' }),
      event(14, { kind: 'blocked', code: 'route-unexpected', problem: 'they read the batch' }),
      event(15, { kind: 'route', side: 'stream' }),
      event(16, { kind: 'unblocked', code: 'route-unexpected' }),
      event(20, { kind: 'outcome', outcome: 'migrated' }),
    ];
    const { soak } = buildReport({ ...aSource(1), events }, { version: '1', showValues: false });
    expect(soak).toMatchObject({ from: at(2), to: at(12) });
  });
  it('says nothing about a batch if the migration has none', () => {
    const source = aSource(2);
    expect(source.spec.spec.batch).toBeUndefined();
    const options = { version: '1', showValues: false };
    for (const outcome of [null, 'migrated', 'rolled-back'] as const)
      for (const side of ['batch', 'stream'] as const) {
        const route = { side, observedAt: '2026-11-22T10:00:00Z' };
        const status = { ...source.status, outcome, route };
        const report = buildReport({ ...source, status, samples: [] }, options);
        const [page] = renderHtml(report).split('<details>');
        for (const text of [page, renderMarkdown(report)])
          expect(text).not.toMatch(/consumers read the|batch is retired|batch still runs/i);
      }
  });
  it('names in both formats the columns that the plan leaves out, and the waivers', () => {
    const source = aSource(1);
    const waiver = { check: 'source.wal', reason: 'ann knows', until: '2027-01-01T00:00:00Z' };
    const validation = {
      ...source.spec.spec.validation,
      compare: { ignore: ['note'], tolerances: { total: { abs: '0.01' } } },
      waivers: [waiver],
    };
    const spec = {
      ...source.spec,
      spec: { ...source.spec.spec, validation },
    } as typeof source.spec;
    const report = buildReport({ ...source, spec }, { version: '1', showValues: false });
    const [page] = renderHtml(report).split('<details>');
    for (const text of [page, renderMarkdown(report)]) {
      expect(text).toMatch(/Columns that the plan leaves out: .{1,6}note/);
      expect(text).toMatch(/Tolerated: .*total ± 0.01/);
      expect(text).toContain('ann knows');
    }
  });
  it('counts an inconclusive comparison among those that prove nothing, even if it has row counts', () => {
    const source = aSource(3);
    const windows = source.windows.map((w, at) =>
      at === 1 ? { ...w, verdict: 'inconclusive' as const } : w,
    );
    const report = buildReport({ ...source, windows }, { version: '1', showValues: false });
    expect(renderHtml(report)).toContain('1 comparisons were inconclusive or errored');
  });
  it('shows names in Markdown as code, without backslashes', () => {
    const source = aSource(1);
    const leftovers = [{ kind: 'slot', name: 'sluice_daily_revenue' }];
    const report = { ...source, status: { ...source.status, leftovers } };
    expect(renderMarkdown(buildReport(report, { version: '1', showValues: false }))).toContain(
      '- slot `sluice_daily_revenue`',
    );
  });
  it('stays under a megabyte with a thousand windows', () =>
    expect(renderHtml(aReport(1000)).length).toBeLessThan(1_000_000));
});
