// `npm test` installs and builds what is missing, and checks types and lint. Then it runs every
// suite except those in BESIDE, or only the suites that its arguments name. The suites in ON_STACK
// share one stack, which is removed at the end. The last lines name each failed test, and count
// passed, failed and skipped tests.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT, ensureInstalled, must } from './installed.mjs';

/** Suites that share one stack. Each other suite starts its own servers or needs none. */
const ON_STACK = ['e2e', 'integration', 'alone'];

/** Suites that `npm test` leaves out. */
const BESIDE = [
  'e2e',
  'faults',
  'flink',
  'postgres',
  'postgres-stack',
  'secure',
  'e2e-secure',
  'registry',
  'weeks',
];
/**
 * Major versions of Postgres for the suites `postgres` and `postgres-stack`. All other suites run
 * with the default version.
 */
const OTHER_MAJORS = Object.keys(
  JSON.parse(readFileSync(join(ROOT, 'stack/postgres-majors.json'), 'utf8')),
);

ensureInstalled();
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
must(process.execPath, [join(ROOT, 'scripts/check.mjs')]);

const reports = mkdtempSync(join(tmpdir(), 'sluice-test-'));
/**
 * Rounds run one after another. Each round has one or two lists of suites, which run at the same
 * time. The tests of `alone` mostly wait, so suites without a stack run beside them. Suites with a
 * separate stack run before the shared stack is started.
 */
const ROUNDS = [
  [['unit']],
  [['weeks']],
  [['faults']],
  [['flink']],
  [['secure-migration']],
  [['secure']],
  [['e2e-secure']],
  [['registry']],
  [['postgres', 'postgres-stack']],
  [['e2e', 'integration']],
  [['alone'], ['heavy', 'workflows']],
];
const known = ROUNDS.flat(2);
const named = process.argv.slice(2);
const unknown = named.filter((suite) => !known.includes(suite));
if (unknown.length > 0) {
  console.error(`unknown suite: ${unknown.join(', ')}; the suites are ${known.join(', ')}`);
  process.exit(2);
}
const isWanted = (suite) => (named.length > 0 ? named.includes(suite) : !BESIDE.includes(suite));
const rounds = ROUNDS.map((round) =>
  round.map((lane) => lane.filter(isWanted)).filter((lane) => lane.length > 0),
).filter((round) => round.length > 0);
const sum = { passed: 0, failed: 0, skipped: 0 };
/**
 * Failures, which are printed again at the end: their first output can be thousands of lines above.
 */
const failures = [];

// Ctrl-C reaches vitest too, which ends by itself. The stack is removed after that.
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isInterrupted = true));

function vitest(suites, report, env) {
  const command = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const projects = suites.flatMap((suite) => ['--project', suite]);
  const args = ['run', ...projects, '--reporter=verbose', '--reporter=json'];
  const child = spawn(process.execPath, [command, ...args, `--outputFile.json=${report}`], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, SLUICE_TEST_CODE: 'built', ...env },
  });
  return new Promise((resolve) => child.once('exit', resolve));
}

/**
 * Adds the results of one run of vitest to the sum. Without a failed test, the run still counts as
 * a failure if it wrote no report, if no test passed, or if vitest itself failed.
 */
function count(status, report, title) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    fail(`${title}: vitest ended with ${status} and wrote no report`);
    return;
  }
  sum.passed += result.numPassedTests;
  sum.skipped += result.numPendingTests;
  const failed = result.testResults.flatMap(failuresOf);
  const place = title.startsWith('postgres') ? `${title}: ` : '';
  if (failed.length > 0) failed.forEach((line) => fail(`${place}${line}`));
  else if (status !== 0) fail(`${title}: vitest ended with ${status}, although no test failed`);
  else if (result.numPassedTests === 0) fail(`${title}: no test ran`);
}

/**
 * Returns an entry for each failed test of a file, or one for the file if it failed before its
 * tests.
 */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(ROOT, name);
  const tests = assertionResults.filter((test) => test.status === 'failed');
  if (tests.length === 0 && status === 'failed') return [`${file}: ${firstLines(message)}`];
  return tests.map(
    (test) => `${file} > ${test.fullName}: ${firstLines(test.failureMessages[0] ?? '')}`,
  );
}

/**
 * Returns up to 40 lines of a failure's message, because the state of the migration follows the
 * first line. Omits the stack trace.
 */
function firstLines(text) {
  const stack = /^\s+at /;
  return text
    .split('\n')
    .filter((line) => !stack.test(line))
    .slice(0, 40)
    .join('\n    ')
    .trimEnd();
}

function fail(line) {
  sum.failed += 1;
  failures.push(line);
}

/**
 * Runs suites once, except `postgres` and `postgres-stack`. Each of those two runs once for each
 * version in OTHER_MAJORS, or only for the version in SLUICE_PG_MAJOR.
 */
async function run(suites) {
  if (!suites.some((suite) => suite.startsWith('postgres')))
    return runOnce(suites, suites.join(', '));
  const given = process.env.SLUICE_PG_MAJOR;
  for (const major of given ? [given] : OTHER_MAJORS)
    for (const suite of suites)
      if (!isInterrupted) await runOnce([suite], `${suite} ${major}`, { SLUICE_PG_MAJOR: major });
}

async function runOnce(suites, title, env = {}) {
  const report = join(reports, `${title.replaceAll(/\W+/g, '-')}.json`);
  const started = Date.now();
  count(await vitest(suites, report, env), report, title);
  console.log(`${title}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

async function startStack() {
  const { tsImport } = await import('tsx/esm/api');
  const { setupWith } = await tsImport('../test/support/stack-setup.ts', import.meta.url);
  return setupWith();
}

let removeStack;
try {
  for (const round of rounds) {
    const needsStack = round.flat().some((suite) => ON_STACK.includes(suite));
    if (needsStack) removeStack ??= await startStack();
    if (isInterrupted) break;
    await Promise.all(round.map(run));
  }
} catch (error) {
  fail(`stack: ${error.message}`);
} finally {
  await removeStack?.();
}
for (const line of failures) console.log(`failed: ${line}`);
const { passed, failed, skipped } = sum;
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${skips}${isInterrupted ? ', interrupted' : ''}`);
process.exit(failed > 0 || isInterrupted ? 1 : 0);
