// Tests what doctor prints for a waived check and for a check that it could not make. Also tests
// the SQL that it prints for each database, and its exit code.
import { describe, expect, it } from 'vitest';
import { checkLedger, exitCodeOf, render } from '../../src/cli/doctor.js';
import { openChecks, type Check } from '../../src/domain/evidence/check.js';

const missing = (name: Check['name'], remedy: string, more: Partial<Check> = {}): Check => ({
  name,
  subject: '',
  status: 'failed',
  detail: 'a right is missing',
  remedy,
  ...more,
});

const checks = [
  missing('privilege', 'GRANT SELECT ON public.orders TO sluice'),
  missing('privilege', 'GRANT SELECT ON public.totals TO reporter', { in: 'target' }),
  missing('target.create', 'GRANT CREATE ON DATABASE reporting TO reporter'),
  missing('route.view', 'GRANT dash TO reporter'),
  missing('ledger.create', 'GRANT CREATE ON DATABASE ledger TO keeper'),
];

/** Returns the first line and the statements of each block of SQL. */
function blocksOf(target: string | null): string[][] {
  const text = render(checks, openChecks(checks), target);
  const blocks = text.split('\n-- Paste this into ').slice(1);
  return blocks.map((block) => block.trim().split('\n'));
}

describe('doctor', () => {
  it('does not say of a waived check that it passed', () => {
    const waived = [missing('route.view', '', { status: 'waived' })];
    expect(render(waived, [], null)).toContain('all 1 checks passed or are waived (1)');
    const passed = [missing('route.view', '', { status: 'passed' })];
    expect(render(passed, [], null)).toMatch(/all 1 checks passed$/m);
  });
  it.each([
    ['registry.reachable', 4],
    ['kafka.reachable', 4],
    ['privilege', 1],
  ] as const)('ends with code 4 only if a system does not answer: %s', (name, code) =>
    expect(exitCodeOf([missing(name, '')])).toBe(code),
  );
  it('prints the missing rights of each database in a block of its own', () =>
    expect(blocksOf('reporting on reports:5433')).toEqual([
      [
        'the source database, as a role that may grant it:',
        'GRANT SELECT ON public.orders TO sluice;',
      ],
      [
        'the target database (reporting on reports:5433), as a role that may grant it:',
        'GRANT SELECT ON public.totals TO reporter;',
        'GRANT CREATE ON DATABASE reporting TO reporter;',
        'GRANT dash TO reporter;',
      ],
      [
        'the database of the ledger, as a role that may grant it:',
        'GRANT CREATE ON DATABASE ledger TO keeper;',
      ],
    ]));

  it('prints one block for source and target if they are the same database', () =>
    expect(blocksOf(null).map(([place, ...statements]) => [place, statements.length])).toEqual([
      ['the source database, as a role that may grant it:', 4],
      ['the database of the ledger, as a role that may grant it:', 1],
    ]));

  it('reports the ledger as unknown if no variable names it', async () =>
    expect(await checkLedger(undefined)).toMatchObject({
      name: 'ledger.reachable',
      status: 'unknown',
      detail: expect.stringContaining('SLUICE_LEDGER_URL is not set') as string,
    }));
});
