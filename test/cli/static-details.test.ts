// Tests the text that the Web UI shows for a run even while no worker answers.
import { describe, expect, it } from 'vitest';
import { staticDetails } from '../../src/cli/support/static-details.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

describe('the static details of a run', () => {
  it('say what is migrated, what to do next and how to go back, and name no host', () => {
    const details = staticDetails(aSpec({ name: 'totals', spec: BATCH_PARTS }));
    expect(details).toContain('`public.totals_batch`');
    expect(details).toContain('`sluice get totals`');
    expect(details).toContain('`sluice rollback totals --reason "..."`');
    expect(details).not.toMatch(/localhost|127\.0\.0\.1|:\d{4}/);
  });

  it('name 20 tables and count the others', () => {
    const tables = Array.from({ length: 25 }, (_, n) => `public.t${n}`);
    const details = staticDetails(aSpec({ tables }));
    expect(details).toContain('`public.t19`, and 5 more');
    expect(details).not.toContain('public.t20');
  });
});
