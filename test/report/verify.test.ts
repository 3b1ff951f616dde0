// A report is checked against the ledger: nothing that was changed on either side goes unnoticed.
import { describe, expect, it } from 'vitest';
import { buildReport, type ReportSource } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/html.js';
import { readReport, verifyReport, type ReadReport } from '../../src/report/verify.js';
import { aSource } from '../support/report-source.js';

const VERSION = '1';
const read = (text: string): ReadReport => {
  const report = readReport(text);
  if (typeof report === 'string') throw new Error(report);
  return report;
};
const asJson = (source: ReportSource): ReadReport => read(JSON.stringify(buildReport(source, { version: VERSION, showValues: false })));
const broken = (report: ReadReport, source: ReportSource): string[] =>
  verifyReport(report, source, VERSION)
    .filter((f) => !f.holds)
    .map((f) => f.what);

/** The source with its rows changed by `change`. */
function withWindows(source: ReportSource, change: (w: ReportSource['windows'][number]) => Partial<ReportSource['windows'][number]>): ReportSource {
  return { ...source, windows: source.windows.map((w) => ({ ...w, ...change(w) })) };
}

describe('report verify', () => {
  const source = aSource(10);

  it('finds nothing wrong with a report of the ledger as it is, or as it was earlier', () => {
    expect(broken(asJson(source), source)).toEqual([]);
    expect(broken(read(renderHtml(buildReport(source, { version: VERSION, showValues: false }))), source)).toEqual([]);
    expect(broken(asJson(aSource(4)), source)).toEqual([]);
  });
  it('finds text from outside that looks like markup unchanged', () => {
    const evil = aSource(3, '</pre></details><b>&amp;');
    expect(broken(read(renderHtml(buildReport(evil, { version: VERSION, showValues: false }))), evil)).toEqual([]);
  });
  it('finds a row of the report that the ledger does not have', () => {
    expect(broken(asJson(withWindows(source, (w) => (w.number === 4 ? { verdict: 'passed', mismatched: 0 } : {}))), source)).toContain('windows');
  });
  it('finds a failed window that the report leaves out', () => {
    const two = { ...source, windows: [...source.windows, { ...source.windows[3]!, subject: 'result' }] };
    expect(broken(asJson(source), two)).toContain('windows');
  });
  it('finds evidence that was changed in the ledger, and the chain that it breaks', () => {
    const changed = { ...source, evidence: source.evidence.map((e) => (e.number === 2 ? { ...e, digest: 'a'.repeat(64) } : e)) };
    expect(broken(asJson(source), changed)).toEqual(expect.arrayContaining(['digests', 'chain', 'evidence']));
    const document = { subjects: [] };
    expect(broken(asJson(source), { ...source, evidence: source.evidence.map((e) => (e.number === 2 ? { ...e, document } : e)) })).toContain('digests');
  });
  it('finds a verdict that does not follow from its counts and proofs', () => {
    const document = structuredClone(source.evidence[3]!.document) as { subjects: { verdict: string }[] };
    document.subjects[0]!.verdict = 'passed';
    const lying = { ...source, evidence: source.evidence.map((e) => (e.number === 4 ? { ...e, document } : e)) };
    expect(
      broken(
        asJson(source),
        withWindows(lying, (w) => (w.number === 4 ? { verdict: 'passed' } : {})),
      ),
    ).toContain('verdicts');
  });
  it('finds a tally, a phase or a freshness that does not follow from the data', () => {
    const report = asJson(source);
    expect(broken({ ...report, report: { ...report.report, verdicts: { ...report.report.verdicts, failed: 0 } } }, source)).toEqual(['derived']);
  });
  it('finds a page whose text is not what its data gives', () => {
    const page = renderHtml(buildReport(source, { version: VERSION, showValues: false }));
    expect(broken(read(page.replace('Blocked (unreachable)', 'Migrated')), source)).toEqual(['page']);
  });
  it('finds an approval that the ledger does not have', () => {
    const approvals = source.status.approvals.map((a) => ({ ...a, accepted: true }));
    expect(broken(asJson({ ...source, status: { ...source.status, approvals } }), source)).toEqual(['decisions']);
  });
  it('says why a file is no report', () => {
    expect(readReport('{"kind": "Plan"}')).toContain('no report');
    expect(readReport('<html></html>')).toContain('no embedded JSON');
    expect(readReport('nothing')).toContain('no readable JSON');
  });
});
