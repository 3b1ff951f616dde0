// Tests that the cut-over's steps are one list. The plan shows it, the run follows its order, and
// the runbook has a section for each step.
import { eventsOf, type AuditLine } from '../../src/domain/audit.js';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, SHARED_PARTS, aPlan, anHourlyInput } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const soak = { for: '1s', passes: 0 };
const SPECS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['without a batch', {}],
  ['with a view', { ...BATCH_PARTS }],
  [
    'with a route by HTTP and fenced sources',
    { ...BATCH_PARTS, cutover: { fence: 'source', route: { type: 'http', url: 'http://r:1/' } } },
  ],
  ['with a shared table', { ...SHARED_PARTS }],
];

describe('the steps of a cut-over', () => {
  it.each(SPECS)("%s are the plan's, in its order", async (name, more) => {
    const fake = fakes();
    const id = `steps-${SPECS.findIndex(([n]) => n === name)}`;
    await play(
      bench,
      fake.activities,
      anHourlyInput(id, { ...more, soak }),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.signal('approveCutover', { approver: 'ann' });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        const audit = await handle.query<readonly AuditLine[]>('audit');
        const begun = eventsOf(audit, 'step').map(({ step, does }) => [step, does]);
        expect(begun).toEqual(
          aPlan({ spec: { ...more, soak } }).steps.map(({ name, does }) => [name, does]),
        );
      },
    );
  });

  it('each have a section in the runbook', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const names = new Set(
      SPECS.flatMap(([, more]) => aPlan({ spec: more }).steps.map((step) => step.name)),
    );
    for (const name of names) expect(runbook).toContain(`\n### ${name.replaceAll('-', ' ')}\n`);
  });
});
