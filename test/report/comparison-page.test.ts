// Tests that the pages of a comparison without a migration say what was proven, and contain no
// values of rows.
import { describe, expect, it } from 'vitest';
import { toRow, unmeasured } from '../../src/activities/windows/subject-outcome.js';
import type { ComparisonDocument } from '../../src/domain/evidence/comparison-document.js';
import {
  renderComparisonHtml,
  renderComparisonMarkdown,
} from '../../src/report/comparison-page.js';

const reason = 'topic a|b begins at 1 > 0';
const DOCUMENT: ComparisonDocument = {
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Comparison',
  name: 'nightly',
  verdict: 'failed',
  reason: 'public.t: missing 1 rows > 0 allowed',
  tookMs: 1200,
  barrier: { kind: 'slot', slot: 'cdc', proves: 'the reader of slot cdc acknowledged it' },
  leftOut: ['note is not compared'],
  windows: [toRow(unmeasured('public.<t>', 'exact', { verdict: 'inconclusive', reason }), 1, '')],
  differences: [
    {
      subject: 'public.<t>',
      class: 'mismatched',
      key: { id: 'ann@example.com' },
      column: 'balance',
      batch: '4711.42',
      stream: null,
    },
  ],
  evidence: { digest: 'abc', document: {} },
};

describe.each([
  ['Markdown', renderComparisonMarkdown],
  ['HTML', renderComparisonHtml],
])('a comparison as %s', (format, render) => {
  it('names verdict, barrier, tables and evidence, masks every value, and escapes names', () => {
    const text = render(DOCUMENT);
    for (const said of [
      'failed',
      'slot: the reader of slot cdc',
      'sha256 abc',
      'inconclusive',
      'note is not',
    ])
      expect(text).toContain(said);
    expect(text).not.toMatch(/ann@example|4711/);
    expect(text).toContain(format === 'HTML' ? 'public.&lt;t&gt;' : 'public.\\<t\\>');
  });
});
