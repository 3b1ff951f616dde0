// Tests that `report verify` finds a change of the report or of the ledger.
import { auditEvent } from '../../src/domain/audit.js';
import { describe, expect, it } from 'vitest';
import { buildReport, type Report, type ReportSource } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/report-page.js';
import { anchored, readReport, verifyReport, type ReadReport } from '../../src/report/verify.js';
import { because, ok } from '../../src/domain/values/or-reason.js';
import { aSource } from '../support/report-source.js';

const VERSION = '1';
const read = (text: string): ReadReport => {
  const report = readReport(text);
  if (!report.ok) throw new Error(report.reason);
  return report.value;
};
const asJson = (source: ReportSource): ReadReport =>
  read(JSON.stringify(buildReport(source, { version: VERSION, showValues: false })));
const broken = (report: ReadReport, source: ReportSource): string[] =>
  verifyReport(report, source, VERSION)
    .filter((f) => !f.holds)
    .map((f) => f.what);

/** Returns the source of a report, with the rows of its windows changed by `change`. */
function withWindows(
  source: ReportSource,
  change: (w: ReportSource['windows'][number]) => Partial<ReportSource['windows'][number]>,
): ReportSource {
  return { ...source, windows: source.windows.map((w) => ({ ...w, ...change(w) })) };
}

describe('report verify', () => {
  const source = aSource(10);
  const rich: ReportSource = {
    ...source,
    spec: {
      ...source.spec,
      spec: {
        ...source.spec.spec,
        validation: {
          ...source.spec.spec.validation,
          compare: { ignore: ['note'], tolerances: {} },
        },
      },
    },
    differing: [{ subject: 'public.a', class: 'mismatched', column: 'v', kept: 2, last: 4 }],
    differences: [{ class: 'mismatched', key: { id: '1' }, column: 'v', batch: '1', stream: '2' }],
  };

  it("finds nothing wrong with a report of the ledger's present or earlier content", () => {
    expect(broken(asJson(source), source)).toEqual([]);
    expect(
      broken(
        read(renderHtml(buildReport(source, { version: VERSION, showValues: false }))),
        source,
      ),
    ).toEqual([]);
    expect(broken(asJson(aSource(4)), source)).toEqual([]);
  });
  it('accepts text from outside that looks like markup', () => {
    const evil = aSource(3, '</pre></details><b>&amp;');
    expect(
      broken(read(renderHtml(buildReport(evil, { version: VERSION, showValues: false }))), evil),
    ).toEqual([]);
  });
  describe('with a report from which a part was removed,', () => {
    /**
     * Returns the report without window `number`: its rows, its link and its lag are removed, and
     * the tallies are computed again.
     */
    const without = (
      number: number,
      more: (report: Report) => Partial<Report> = () => ({}),
    ): ReadReport => {
      const { report } = asJson(source);
      const windows = report.windows.filter((w) => w.number !== number);
      const verdicts = {
        ...report.verdicts,
        failed: windows.filter((w) => w.verdict === 'failed').length,
        passed: windows.filter((w) => w.verdict === 'passed').length,
      };
      const cut = {
        ...report,
        windows,
        verdicts,
        evidence: report.evidence.filter((e) => e.number !== number),
        lags: report.lags.filter((l) => l.number !== number),
      };
      return read(JSON.stringify({ ...cut, ...more(cut) }));
    };
    it('finds that a failed window is missing, or that the last window is missing if the audit names it', () => {
      expect(broken(without(4), source)).toEqual(
        expect.arrayContaining(['evidence', 'windows', 'derived']),
      );
      const events = [
        ...source.events,
        auditEvent('3', '2026-11-22T10:02:00Z', {
          kind: 'window',
          number: 10,
          verdict: 'passed',
          reason: '…',
        }),
      ];
      expect(
        broken(read(JSON.stringify({ ...without(10).report, events })), { ...source, events }),
      ).toEqual(expect.arrayContaining(['windows']));
    });
    it.each<[string, (report: Report) => Partial<Report>, string]>([
      [
        'the row of a window',
        (report) => ({ windows: report.windows.filter((w) => w.number !== 4) }),
        'windows',
      ],
      [
        'a link of the chain',
        (report) => ({ evidence: report.evidence.filter((e) => e.number !== 4) }),
        'evidence',
      ],
      ['a lag', (report) => ({ lags: report.lags.filter((l) => l.number !== 4) }), 'derived'],
      ['the tallies of differing rows', () => ({ differing: [] }), 'derived'],
      ['the samples of differing rows', () => ({ samples: [] }), 'derived'],
      ['an event', (report) => ({ events: report.events.slice(1) }), 'audit'],
      ['all events and phases', () => ({ events: [], phases: [] }), 'decisions'],
      [
        'a column that is not compared',
        (report) => ({ leftOut: { ...report.leftOut, ignored: [] } }),
        'derived',
      ],
    ])('finds the omission of %s', (_what, cut, named) => {
      const { report } = asJson(rich);
      expect(broken(asJson(rich), rich)).toEqual([]);
      expect(broken(read(JSON.stringify({ ...report, ...cut(report) })), rich)).toContain(named);
    });
    it('finds that the last windows of a run that has ended are missing', () => {
      const ended = { ...source, status: { ...source.status, outcome: 'migrated' as const } };
      const { report } = asJson({
        ...ended,
        windows: ended.windows.slice(0, 8),
        evidence: ended.evidence.slice(0, 8),
        samples: ended.samples.slice(0, 8),
      });
      expect(broken(read(JSON.stringify(report)), ended)).toEqual(
        expect.arrayContaining(['evidence', 'windows']),
      );
    });
  });
  it('accepts samples of differing rows whose values are shown', () => {
    expect(
      broken(read(JSON.stringify(buildReport(rich, { version: VERSION, showValues: true }))), rich),
    ).toEqual([]);
  });
  it("compares the ledger with Temporal's history, and decides nothing if Temporal does not answer", () => {
    const anchors = source.evidence.map(({ number, chain }) => ({ number, chain }));
    expect(anchored(source.evidence, ok(anchors)).holds).toBe(true);
    expect(anchored(aSource(10, 'another').evidence, ok(anchors))).toMatchObject({
      holds: false,
      detail: expect.stringContaining('window 1') as string,
    });
    expect(anchored(source.evidence.slice(0, 9), ok(anchors))).toMatchObject({
      holds: false,
      detail: expect.stringContaining('window 10 is in the history') as string,
    });
    expect(anchored(source.evidence, because('Temporal does not answer'))).toMatchObject({
      holds: null,
    });
  });
  it('finds a row of the report that the ledger does not have', () => {
    expect(
      broken(
        asJson(
          withWindows(source, (w) => (w.number === 4 ? { verdict: 'passed', mismatched: 0 } : {})),
        ),
        source,
      ),
    ).toContain('windows');
  });
  it('finds a failed window that the report leaves out', () => {
    const two = {
      ...source,
      windows: [...source.windows, { ...source.windows[3]!, subject: 'result' }],
    };
    expect(broken(asJson(source), two)).toContain('windows');
  });
  it('finds evidence that was changed in the ledger, and the chain that it breaks', () => {
    const changed = {
      ...source,
      evidence: source.evidence.map((e) => (e.number === 2 ? { ...e, digest: 'a'.repeat(64) } : e)),
    };
    expect(broken(asJson(source), changed)).toEqual(
      expect.arrayContaining(['digests', 'chain', 'evidence']),
    );
    const document = { subjects: [] };
    expect(
      broken(asJson(source), {
        ...source,
        evidence: source.evidence.map((e) => (e.number === 2 ? { ...e, document } : e)),
      }),
    ).toContain('digests');
  });
  it('finds a verdict that does not follow from its counts and proofs', () => {
    const document = structuredClone(source.evidence[3]!.document) as {
      subjects: { verdict: string }[];
    };
    document.subjects[0]!.verdict = 'passed';
    const lying = {
      ...source,
      evidence: source.evidence.map((e) => (e.number === 4 ? { ...e, document } : e)),
    };
    expect(
      broken(
        asJson(source),
        withWindows(lying, (w) => (w.number === 4 ? { verdict: 'passed' } : {})),
      ),
    ).toContain('verdicts');
  });
  it('finds a tally that does not follow from the data', () => {
    const report = asJson(source);
    expect(
      broken(
        {
          ...report,
          report: { ...report.report, verdicts: { ...report.report.verdicts, failed: 0 } },
        },
        source,
      ),
    ).toEqual(['derived']);
  });
  it('finds a page whose text does not follow from its data', () => {
    const page = renderHtml(buildReport(source, { version: VERSION, showValues: false }));
    expect(broken(read(page.replace('Blocked (unreachable)', 'Migrated')), source)).toEqual([
      'page',
    ]);
  });
  it('finds an approval that the ledger does not have', () => {
    const approvals = source.status.approvals.map((a) => ({ ...a, accepted: true }));
    expect(broken(asJson({ ...source, status: { ...source.status, approvals } }), source)).toEqual([
      'decisions',
    ]);
  });
  it('says why a file is not a report', () => {
    const why = (text: string, reason: string): void =>
      expect(readReport(text)).toMatchObject({
        ok: false,
        reason: expect.stringContaining(reason) as string,
      });
    why('{"kind": "Plan"}', 'not a report');
    why('<html></html>', 'no embedded JSON');
    why('nothing', 'no readable JSON');
  });
});
