// `npm test`: installs and builds what is missing, checks types and lint, then runs every suite but
// faults and flink. The suites with real servers share one stack, which is removed at the end. The
// last line counts what passed, failed and was skipped.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, ensureInstalled, must } from './installed.mjs';

/**
 * Suites that share the stack, and run beside each other. Faults and Flink need one of their own.
 */
const ON_STACK = ['e2e', 'integration', 'alone'];

ensureInstalled();
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
must(process.execPath, [join(ROOT, 'scripts/check.mjs')]);

const reports = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const asked = process.argv.slice(2);
const suites = asked.length > 0 ? asked : ['unit', 'heavy', 'workflows', ...ON_STACK];
const onStack = suites.filter((suite) => ON_STACK.includes(suite));
const rounds = suites.filter((suite) => !ON_STACK.includes(suite)).map((suite) => [suite]);
if (onStack.length > 0) rounds.push(onStack);
const sum = { passed: 0, failed: 0, skipped: 0 };

// Ctrl-C reaches vitest too, which ends by itself. The stack is removed after that.
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isInterrupted = true));

function vitest(suites, report) {
  const command = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const projects = suites.flatMap((suite) => ['--project', suite]);
  const args = ['run', ...projects, '--reporter=verbose', '--reporter=json'];
  const child = spawn(process.execPath, [command, ...args, `--outputFile.json=${report}`], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.once('exit', resolve));
}

/** A suite that could not be loaded, or that skipped all of its tests, counts as a failure. */
function count(status, report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    sum.passed += numPassedTests;
    sum.skipped += numPendingTests;
    const isHollow = numFailedTests === 0 && (status !== 0 || numPassedTests === 0);
    sum.failed += isHollow ? 1 : numFailedTests;
  } catch {
    sum.failed += 1;
  }
}

async function run(suites) {
  const report = join(reports, `${suites.join('-')}.json`);
  const started = Date.now();
  count(await vitest(suites, report), report);
  console.log(`${suites.join(', ')}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

async function startStack() {
  const { tsImport } = await import('tsx/esm/api');
  const { setupWith } = await tsImport('../test/support/stack-setup.ts', import.meta.url);
  return setupWith();
}

let removeStack;
try {
  for (const round of rounds) {
    if (round === onStack) removeStack = await startStack();
    if (isInterrupted) break;
    await run(round);
  }
} catch (error) {
  console.error(`stack: ${error.message}`);
  sum.failed += 1;
} finally {
  await removeStack?.();
}
const { passed, failed, skipped } = sum;
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${skips}${isInterrupted ? ', interrupted' : ''}`);
process.exit(failed > 0 || isInterrupted ? 1 : 0);
