// `npm test`: installs and builds what is missing, checks types and lint, then runs every suite but
// faults and flink. The last line counts what passed and what failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, ensureInstalled, must } from './installed.mjs';

ensureInstalled();
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
must(process.execPath, [join(ROOT, 'scripts/check.mjs')]);

let passed = 0;
let failed = 0;
let broken = false;
const reports = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const asked = process.argv.slice(2);
const suites = asked.length > 0 ? asked : ['unit', 'heavy', 'workflows', 'integration', 'e2e'];
for (const suite of suites) {
  const report = join(reports, `${suite}.json`);
  const started = Date.now();
  const { status } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      suite,
      '--reporter=verbose',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: ROOT, stdio: 'inherit' },
  );
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    failed += numFailedTests;
    if (status !== 0 && numFailedTests === 0) failed += 1; // a file that could not even be loaded
  } catch {
    broken = true;
    failed += 1;
  }
  console.log(`${suite}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || broken ? 1 : 0);
