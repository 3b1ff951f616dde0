// Tests the verbs `worker`, `get -w`, `version`, `init` and `completion`, the dashboard, errors in
// the command line, and the message about the end of the command that `prove` runs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeEnd } from '../../src/cli/support/pipeline-end.js';
import { renderDashboard } from '../../src/report/dashboard-page.js';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { aStatus } from '../support/status.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['dist/cli/main.js', ...args], {
    encoding: 'utf8',
  });
const file = (): string => join(temporaryFolder('sluice-cli-'), 'migration.yaml');

describe('the worker', () => {
  it('says at the first Ctrl-C that it ends, and exits at once at the second one', async () => {
    // this ledger accepts a connection and never answers
    const ledger = createServer().listen(0, '127.0.0.1');
    await once(ledger, 'listening');
    const { port } = ledger.address() as AddressInfo;
    const env = { ...process.env, SLUICE_LEDGER_URL: `postgres://x:y@127.0.0.1:${port}/l` };
    const args = ['dist/cli/main.js', 'worker'];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    await once(ledger, 'connection');
    child.kill('SIGINT');
    const [said] = (await once(child.stderr, 'data')) as [Buffer];
    expect(said.toString()).toContain('the worker ends; press Ctrl-C again');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    ledger.close();
  });
  it('names an unreachable ledger only once, and names the variable to check', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const SLUICE_LEDGER_URL = `postgres://x:y@127.0.0.1:${port}/l`;
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', 'worker'], {
      encoding: 'utf8',
      env: { ...process.env, SLUICE_LEDGER_URL },
    });
    expect(status).toBe(4);
    expect(stderr.match(/the ledger at/g)).toHaveLength(1);
    expect(stderr).toMatch(/does not answer.*\n.*check SLUICE_LEDGER_URL/);
  });
});

it('get -w says at Ctrl-C that the migration continues', async () => {
  // this server accepts a connection and never answers
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const SLUICE_LEDGER_URL = `postgres://x:y@127.0.0.1:${port}/l`;
  const env = { ...process.env, SLUICE_LEDGER_URL, TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
  const args = ['dist/cli/main.js', 'get', 'orders', '-w'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  await once(silent, 'connection');
  child.kill('SIGINT');
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  expect(said.toString()).toContain('detached; the migration continues');
  expect(await once(child, 'exit')).toEqual([130, null]);
  silent.close();
});

it('worker --check-replay names a Temporal that does not answer, and exits with code 4', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['dist/cli/main.js', 'worker', '--check-replay'],
    { encoding: 'utf8', env: { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1' } },
  );
  expect(stderr).toContain('Temporal at 127.0.0.1:1 does not answer');
  expect(status).toBe(4);
});

const HAS_FULL_DEVICE = existsSync('/dev/full');
it.runIf(HAS_FULL_DEVICE)(
  'an output that cannot be written is an error without a stack trace',
  () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', 'version'], {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    expect(stderr).toMatch(/^error: the output cannot be written: ENOSPC.*\n$/);
    expect(status).toBe(1);
  },
);

it.each([
  ['json', '{\n  "version"'],
  ['jsonl', '{"version"'],
  ['yaml', 'version: '],
])('version prints the format %s', (format, start) =>
  expect(run('version', '-o', format).stdout).toContain(start),
);

describe('init', () => {
  it('writes a spec that validates, and never overwrites one', () => {
    const path = file();
    expect(run('init', 'orders', '-f', path).status).toBe(0);
    expect(run('validate', '-f', path)).toMatchObject({ status: 0 });
    const before = readFileSync(path, 'utf8');
    expect(run('init', 'other', '-f', path)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('exists; nothing was written') as string,
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
  it('refuses a name that no migration can have', () =>
    expect(run('init', 'Bad Name', '-f', file())).toMatchObject({ status: 2 }));
});

describe('completion', () => {
  it('completes verbs and the flags of a verb in bash', () => {
    const script = run('completion', 'bash').stdout;
    const complete = (line: string[]): string =>
      spawnSync(
        'bash',
        [
          '-c',
          `${script}\nCOMP_WORDS=(${line.join(' ')}); COMP_CWORD=${line.length - 1}; _sluice; echo "\${COMPREPLY[@]}"`,
        ],
        {
          encoding: 'utf8',
        },
      ).stdout.trim();
    expect(complete(['sluice', 'ass'])).toBe('assess');
    expect(complete(['sluice', 'prove', '--sl'])).toBe('--slice');
  });
  it('is refused for a shell other than bash and zsh', () =>
    expect(run('completion', 'fish')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('expected bash or zsh') as string,
    }));
});

describe('the dashboard', () => {
  const status = (more: Partial<Status>): Status & { recordedAt: string } => ({
    ...aStatus({ needsApproval: true, evidenceId: 'ev-1', next: ['sluice approve a'], ...more }),
    recordedAt: '2026-01-01',
  });
  it('shows which runs wait for a person, and escapes texts that people wrote', () => {
    const html = renderDashboard(
      [
        status({}),
        status({
          name: '<b>x</b>',
          needsApproval: false,
          blocked: { code: 'unreachable', since: '', detail: '<img src=x>', remedy: 'fix it' },
        }),
      ],
      '2026-01-01',
    );
    expect(html).toContain('2 wait for a person');
    expect(html).not.toMatch(/<img|<b>x<\/b>/);
    expect(renderDashboard([], '2026-01-01')).toContain('None yet.');
  });
  it('counts a paused run, and an ended run that left objects behind, as waiting for a person', () => {
    const leftovers = [{ kind: 'slot', name: 'sluice_x' }];
    const idle = { needsApproval: false, evidenceId: null };
    const html = renderDashboard(
      [
        status({ ...idle, paused: true, next: ['sluice resume a'] }),
        status({ ...idle, outcome: 'aborted', leftovers }),
        status({ ...idle, outcome: 'migrated' }),
        status(idle),
      ],
      '2026-01-01',
    );
    expect(html).toContain('2 wait for a person');
    expect(html).toContain('<td>a person paused it</td><td>sluice resume a</td>');
    expect(html).toContain('<td>left over: slot sluice_x</td><td>sluice doctor --leftovers');
  });
});

describe('an error in the command line', () => {
  const env = (more: object) => ({ encoding: 'utf8' as const, env: { ...process.env, ...more } });
  const printed = (args: readonly string[], more = {}) =>
    spawnSync(process.execPath, ['dist/cli/main.js', ...args], env(more));
  it.each([
    ['get', 'x', '--bad', '-o', 'json'],
    ['get', 'x', '--bad', '-ojson'],
    ['get', 'x', '--bad', '--output=json'],
    ['get', 'x', '--bad', '-o', 'jsonl'],
    ['gett', '-o', 'json'],
  ])('is JSON if the option --output or -o asks for it: %s %s %s %s %s', (...args) => {
    const { status, stdout } = printed(args);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'usage' } });
  });
  it.each([
    ['plan -f x.yaml --rehearse y', "cannot be used with option '--rehearse <id>'"],
    ['plan -f x.yaml --key k', "'--key <file>' needs '--rehearse <id>'"],
    ['doctor -f x.yaml --leftovers', "cannot be used with option '--leftovers'"],
    ['doctor -f x.yaml --remove', "'--remove' needs '--leftovers'"],
    ['doctor --leftovers --route-back', "'--route-back' needs '--remove'"],
    ['init name --sql', 'so it takes no name'],
  ])(
    'names options that contradict each other or lack an option that they need: %s',
    (line, error) => {
      const { status, stderr } = printed(line.split(' '));
      expect(stderr).toContain(error);
      expect(status).toBe(2);
    },
  );
  it('is JSON if SLUICE_OUTPUT asks for it', () =>
    expect(printed(['wait', 'x'], { SLUICE_OUTPUT: 'json' }).stdout).toContain('"code": "usage"'));
  it('names SLUICE_LEDGER_URL, and not the password in it, if its value is not a URL', () => {
    const found = printed(['list'], { SLUICE_LEDGER_URL: 'postgres://me:se#cret@h/db' });
    expect(found).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('SLUICE_LEDGER_URL is not a URL like') as string,
    });
    expect(found.stderr).not.toContain('cret@');
  });
  it('says that the ledger does not answer, and not that it refuses the login', () => {
    const found = printed(['report', 'x'], { SLUICE_LEDGER_URL: 'postgres://a:b@127.0.0.1:1/l' });
    expect(found).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('the ledger at 127.0.0.1:1/l does not answer') as string,
    });
  });
});

describe('the message about the end of the command that `prove` runs', () => {
  it('contains no values of rows, because Temporal keeps the message', () => {
    const said = 'WARN x\nNumberFormatException: For input string: "4111 1111"\n';
    expect(describeEnd(7, said)).toBe(
      'the command exited 7: NumberFormatException: For input string: "…"',
    );
    expect(describeEnd('SIGKILL', '')).toBe('the command exited SIGKILL');
  });
});
