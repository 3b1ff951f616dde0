// Tests what `sluice edit` and `sluice window` send, their errors and their exit codes. A fake
// replaces the run.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { edit } from '../../src/cli/edit.js';
import { window } from '../../src/cli/window.js';
import type { SpecShown, WindowAnswer } from '../../src/domain/evidence/ledger-rows.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { aSpec, aSpecInput } from '../support/builders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const sent: { update: string; payload: Record<string, unknown> }[] = [];
let answer: object = { accepted: true, reason: 'done' };

vi.mock('../../src/cli/support/migration-source.js', () => ({
  withRunning: (_id: string, use: (handle: object, client: object) => unknown) =>
    use(
      {
        workflowId: 'migration-bank',
        query: () => Promise.resolve(shown),
        executeUpdate: (update: string, { args }: { args: [Record<string, unknown>] }) => {
          sent.push({ update, payload: args[0] });
          return Promise.resolve(answer);
        },
      },
      {},
    ),
}));
vi.mock('../../src/cli/support/ask-while-served.js', () => ({
  whileServed: (_client: object, _id: string, _what: string, ask: () => unknown) => ask(),
}));

const SPEC = aSpec({ spec: { validation: { every: '1h' } } });
const shown: SpecShown = {
  run: 'run-1',
  planHash: planHash(SPEC),
  spec: SPEC,
  isCommitted: false,
};

/** Writes a spec to a file, as JSON, which is also valid YAML. */
function fileOf(spec: object): string {
  const file = join(temporaryFolder('sluice-edit-'), 'migration.yaml');
  writeFileSync(file, JSON.stringify(aSpecInput({ spec: { ...spec } })));
  return file;
}

const asked = { reason: 'we learned', by: 'ann', yes: true, output: 'json' as const };

beforeEach(() => {
  sent.length = 0;
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});

describe('sluice edit', () => {
  it('sends nothing and exits 0 if nothing changes, or with --dry-run', async () => {
    const same = fileOf({ validation: { every: '1h' } });
    const other = fileOf({ validation: { every: '2h' } });
    expect(await edit('bank', { file: same, output: 'json' })).toBe(0);
    expect(await edit('bank', { file: other, dryRun: true, output: 'json' })).toBe(0);
    expect(sent).toEqual([]);
  });

  it('sends the new spec with the run and plan that it was compared with, and exits 1 if refused', async () => {
    const file = fileOf({ validation: { every: '2h' } });
    expect(await edit('bank', { file, ...asked })).toBe(0);
    expect(sent).toMatchObject([
      { update: 'editSpec', payload: { run: 'run-1', base: shown.planHash, by: 'ann' } },
    ]);
    answer = { accepted: false, reason: 'no' };
    expect(await edit('bank', { file, ...asked })).toBe(1);
  });

  it('names a field that the run would refuse, with the remedy, and sends nothing', async () => {
    const file = fileOf({ validation: { every: '2h', passesInARow: 1 } });
    await expect(edit('bank', { file, ...asked })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('spec.validation.passesInARow') as string,
      next: [expect.stringContaining('roll back') as string],
    });
    expect(sent).toEqual([]);
  });

  it('needs a reason', async () => {
    const file = fileOf({ validation: { every: '2h' } });
    await expect(edit('bank', { file, yes: true, output: 'json' })).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});

describe('sluice window', () => {
  const answered = (more: Partial<WindowAnswer>): void => {
    answer = { refused: null, window: null, ...more };
  };

  it('exits 0 if the window passed or was only requested, and 1 if it did not pass', async () => {
    answered({ window: { number: 7, verdict: 'passed', reason: '' } });
    expect(await window('bank', { full: true, wait: true, output: 'json' })).toBe(0);
    expect(sent[0]!.payload).toMatchObject({ full: true, wait: true });
    answered({});
    expect(await window('bank', { wait: false, output: 'json' })).toBe(0);
    answered({ window: { number: 8, verdict: 'inconclusive', reason: '' } });
    expect(await window('bank', { wait: true, output: 'json' })).toBe(1);
  });

  it('says why no window runs', async () => {
    answered({ refused: 'windows run in validate' });
    await expect(window('bank', { wait: true, output: 'json' })).rejects.toMatchObject({
      exitCode: 1,
      message: 'no window of bank: windows run in validate',
    });
  });
});
