// Tests the text, the Markdown page and the HTML page that show what `sluice prove` proved.
import { describe, expect, it } from 'vitest';
import { leftOutOf } from '../../src/domain/evidence/left-out.js';
import type { ShownProof } from '../../src/domain/evidence/slice-proof.js';
import {
  renderProofHtml,
  renderProofMarkdown,
  renderProofText,
} from '../../src/report/proof-page.js';
import { aRef } from '../support/builders.js';

const { spec } = aRef();
const compare = { ignore: ['note'], tolerances: { total: { abs: '0.01' } } };
const validation = { ...spec.spec.validation, compare };
const PROOF: ShownProof = {
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Proof',
  id: 'proof-shop-1',
  name: 'shop',
  slice: 'id < 9',
  stage: null,
  at: '2026-01-01T00:00:00Z',
  by: 'ann',
  verdict: 'passed',
  reason: 'every key is equal',
  replayed: null,
  counts: null,
  differences: [],
  rehearsed: [],
  pipelineMs: null,
  predicted: null,
  leftovers: [],
  leftOut: leftOutOf({ ...spec, spec: { ...spec.spec, validation } }),
};

describe('a proof', () => {
  it.each([
    ['text', renderProofText],
    ['Markdown', renderProofMarkdown],
    ['HTML', renderProofHtml],
  ])('names the columns that were not compared, or that may differ: %s', (_format, render) => {
    expect(render(PROOF)).toContain('note is not compared; total may differ by 0.01');
    expect(render({ ...PROOF, leftOut: [] })).toMatch(/left out\W.*nothing/);
  });

  it('shows values of rows only in the text for the terminal', () => {
    const key = { email: 'ann@example.org' };
    const differing: ShownProof = {
      ...PROOF,
      verdict: 'failed',
      differences: [
        { class: 'mismatched', key, column: 'total', batch: '4711.25', stream: '4711.50' },
      ],
    };
    const privateValues = /ann@example\.org|4711/;
    expect(renderProofMarkdown(differing)).not.toMatch(privateValues);
    expect(renderProofHtml(differing)).not.toMatch(privateValues);
    expect(renderProofText(differing)).toMatch(/ann@example\.org .*4711\.25 *4711\.50/);
  });
});
