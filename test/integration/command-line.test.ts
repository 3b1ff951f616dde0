// Tests what the commands print from a ledger. Texts from rows and from people reach the terminal
// only escaped, and an unknown state is never reported as good.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEDGER_SCHEMA } from '../../src/clients/ledger/ledger-schema.js';
import { accounts } from '../support/live.js';
import { freshDatabase, sluiceWith, specFile, testPostgres } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2Jall windows passed\r\u202e\u009b31m';
const DANGEROUS = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const NAME = 'quoted';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledgerUrl: string;
const run = (more: NodeJS.ProcessEnv, ...args: string[]) =>
  sluiceWith({ SLUICE_LEDGER_URL: ledgerUrl, TEMPORAL_ADDRESS: '127.0.0.1:1', ...more }, ...args);

beforeAll(async () => {
  database = await freshDatabase(`${accounts(10)} ${LEDGER_SCHEMA}`);
  const url = new URL(process.env['SLUICE_LEDGER_URL']!);
  url.pathname = `/${database.name}`;
  ledgerUrl = url.href;
  const query = (sql: string, values: unknown[]) => database.client.query(sql, values);
  await query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash, outcome) VALUES ($1, 1, 1, $1, $1, '{"spec": {}}', 'x', 'aborted')`,
    [NAME],
  );
  const window = { number: 1, subject: 'public.orders', verdict: 'failed', mode: 'exact', at: '2026-01-01T00:00:00Z', durationMs: 1, compared: 1, matched: 0, missing: 0, extraneous: 0, mismatched: 1, unstable: 0, unknown: 0, position: null, reason: `1 > 0 ${HOSTILE}` }; // oxfmt-ignore
  await query(
    `INSERT INTO sluice.window_row (name, iteration, number, subject, row) VALUES ($1, 1, 1, $2, $3)`,
    [NAME, window.subject, JSON.stringify(window)],
  );
  const difference = {
    class: 'mismatched',
    key: { id: HOSTILE },
    column: 'note',
    batch: `a\n${HOSTILE}`,
    stream: null,
  };
  await query(
    `INSERT INTO sluice.difference (name, iteration, number, subject, seq, difference) VALUES ($1, 1, 1, $2, 1, $3)`,
    [NAME, window.subject, JSON.stringify(difference)],
  );
  await query(
    `INSERT INTO sluice.event (name, iteration, event_id, at, kind, fields) VALUES ($1, 1, 'e', now(), 'approve', $2)`,
    [
      NAME,
      JSON.stringify({
        by: `ann\n2026-01-01 approve eve ${HOSTILE}`,
        authenticated: false,
        accepted: true,
        reason: 'approval 1 of 1',
        comment: null,
      }),
    ],
  );
});
afterAll(() => database.drop());

describe('values of rows, and texts that people wrote,', () => {
  it.each([
    ['diff'],
    ['diff', '-o', 'yaml'],
    ['diff', '-o', 'json'],
    ['audit'],
    ['audit', '-o', 'json'],
    ['windows'],
    ['get'],
    ['explain'],
  ])('reach the terminal escaped: %s', (verb, ...more) => {
    const { code, stdout, stderr } = run({}, verb, NAME, ...more);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toMatch(DANGEROUS);
    if (more[1] === 'json') expect(JSON.stringify(JSON.parse(stdout))).toContain('owned');
  });
  it('cannot forge a line of the audit', () => {
    expect(
      run({}, 'audit', NAME)
        .stdout.split('\n')
        .filter((line) => line.startsWith('2026-01-01')),
    ).toEqual([]);
  });
});

describe('a command never reports an unknown state as good: it', () => {
  it('ends with code 2 and lists the subjects if no window compared the requested subject', () => {
    for (const more of [[], ['--exit-code'], ['--window', '1']])
      expect(run({}, 'diff', NAME, '--subject', 'typo', ...more)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('subjects are public.orders') as string,
      });
    expect(run({}, 'diff', NAME, '--exit-code').code).toBe(3);
  });
  it('ends with code 2 if it is `sluice windows` and SLUICE_LEDGER_URL is not set', () => {
    expect(run({ SLUICE_LEDGER_URL: undefined }, 'windows', NAME)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SLUICE_LEDGER_URL is not set') as string,
    });
  });
  it('names the ledger and ends with code 4 if the password of the ledger is wrong', () => {
    const wrong = ledgerUrl.replace(/:[^:@]+@/, ':wrong@');
    for (const verb of ['audit', 'diff', 'windows'])
      expect(run({ SLUICE_LEDGER_URL: wrong }, verb, NAME), verb).toMatchObject({
        code: 4,
        stderr: expect.stringMatching(/ledger.*SLUICE_LEDGER_URL/s) as string,
      });
  });
  it('ends with code 4 and says why if the database of a portfolio cannot be reached', () => {
    const file = join(temporaryFolder('sluice-portfolio-'), 'portfolio.yaml');
    const portfolio = {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Portfolio',
      metadata: { name: 'p' },
      spec: {
        source: { postgres: { ...testPostgres('nowhere') } },
        processes: [{ name: 'a', query: { sql: 'SELECT 1 AS x' } }],
      },
    };
    writeFileSync(file, JSON.stringify(portfolio));
    const { code, stdout, stderr } = run({}, 'assess', '-f', file);
    expect([code, stdout.split('\n')[0], stderr]).toEqual([
      4,
      expect.stringContaining('1 batch process, the database cannot be reached') as string,
      expect.stringContaining('nothing was measured') as string,
    ]);
  });
  it('fails a check of doctor, and lists the columns, if validation.compare names a missing column', () => {
    const file = specFile('names', database.name, ['public.accounts'], {
      validation: {
        compare: { ignore: ['nonsense', 'note'], tolerances: { balance: { abs: '0.01' } } },
      },
    });
    const { checks } = JSON.parse(run({}, 'doctor', '-f', file, '-o', 'json').stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.find((c) => c.name === 'validation.compare')).toMatchObject({
      status: 'failed',
      detail:
        'these columns do not exist: nonsense; the columns are public.accounts (id, balance, note)',
    });
  });
  it('fails a check of doctor if a tolerance is for a column that is not a number', () => {
    const tolerances = { balance: { abs: '0.01' }, 'public.accounts.note': { abs: '1' } };
    const file = specFile('texts', database.name, ['public.accounts'], {
      validation: { compare: { tolerances } },
    });
    const { checks } = JSON.parse(run({}, 'doctor', '-f', file, '-o', 'json').stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.find((c) => c.name === 'validation.compare')).toMatchObject({
      status: 'failed',
      detail:
        'a tolerance has no effect on these columns, because they are not numbers: public.accounts.note',
    });
  });
  it('fails a check of doctor if validation.compare names only a column of a key', () => {
    const file = specFile('keyed', database.name, ['public.accounts'], {
      validation: { compare: { ignore: ['id', 'note'] } },
    });
    const { checks } = JSON.parse(run({}, 'doctor', '-f', file, '-o', 'json').stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.find((c) => c.name === 'validation.compare')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/a key is always compared exactly: id$/) as string,
    });
  });
});

it('get -w prints each new state in the chosen format, until the migration has ended', () => {
  const { code, stdout } = run({}, 'get', NAME, '-w', '-o', 'jsonl');
  expect(code).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({ name: NAME, outcome: 'aborted' });
});
