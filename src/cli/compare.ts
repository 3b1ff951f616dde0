// sluice compare -f FILE: compares tables with topics that already exist, without a migration, a
// worker or Temporal. It creates nothing. Ctrl-C leaves nothing behind.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Systems } from '../activities/runtime/deps.js';
import {
  LONGEST_WAIT_MS,
  compareOnly,
  type ComparedOnly,
} from '../activities/windows/compare-only/index.js';
import { loadConfig, ownPod, resolveSecret } from '../wiring/config.js';
import type { ComparisonDocument } from '../domain/evidence/comparison-document.js';
import { leftOutOf } from '../domain/evidence/left-out.js';
import type { VerdictName } from '../domain/evidence/verdict.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { comparisonPlan } from '../domain/plan/comparison-plan.js';
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';
import { renderComparisonHtml, renderComparisonMarkdown } from '../report/comparison-page.js';
import { differenceTable } from './diff.js';
import { CliError, EXIT, asLines, print, table, write, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';

export interface CompareOptions {
  readonly file: string;
  readonly within: string;
  readonly limit: string;
  readonly marker?: boolean;
  readonly output: Format | 'md' | 'html';
}

/**
 * A comparison with differences that the spec does not allow ends with exit code 3. A comparison
 * that proves neither such a difference nor equality ends with exit code 1.
 */
const EXIT_OF: Readonly<Record<VerdictName, number>> = {
  passed: EXIT.ok,
  failed: EXIT.findings,
  inconclusive: EXIT.failed,
  errored: EXIT.failed,
};

export async function compare(options: CompareOptions): Promise<number> {
  const { file, within, limit, marker: marks = false, output } = options;
  if (!DURATION_PATTERN.test(within))
    throw new CliError(EXIT.usage, 'usage', `--within ${within} is not a duration like 60s`);
  if (durationMs(within) > LONGEST_WAIT_MS)
    throw new CliError(
      EXIT.usage,
      'usage',
      `--within ${within} is longer than ${LONGEST_WAIT_MS / 1000}s, the maximum: during the wait, the snapshot of the comparison delays VACUUM on the source`,
    );
  if (!/^\d+$/.test(limit))
    throw new CliError(EXIT.usage, 'usage', `--limit ${limit} is not a number`);
  const spec = readSpec(file, 'comparison');
  if (marks && comparisonPlan(spec).slot === null)
    throw new CliError(
      EXIT.usage,
      'usage',
      '--marker would be ignored, because spec.existing names no slot; add existing.slot, or omit --marker',
    );
  const { windowMemory, snapshotBytes } = loadConfig();
  const systems = new Systems(resolveSecret, undefined, ownPod());
  const stateDir = temporaryDir();
  try {
    const started = Date.now();
    const deps = { secret: resolveSecret, systems, stateDir, windowMemory, snapshotBytes };
    const found = await compareOnly(deps, spec, { withinMs: durationMs(within), marks });
    const document = documentOf(spec, Date.now() - started, found);
    if (output === 'html') write(renderComparisonHtml(document));
    else if (output === 'md') write(renderComparisonMarkdown(document));
    else await print(document, output, () => render(document, Number(limit)));
    return EXIT_OF[found.verdict.verdict];
  } finally {
    await systems.close();
  }
}

/**
 * Returns the path of a folder for key tables that do not fit in memory. The folder is removed when
 * the process exits.
 */
function temporaryDir(): string {
  const dir = join(tmpdir(), `sluice-compare-${randomBytes(8).toString('hex')}`);
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  process.once('SIGTERM', () => process.exit(EXIT.interrupted));
  return dir;
}

const documentOf = (
  spec: MigrationSpec,
  tookMs: number,
  { verdict, barrier, rows, differences, evidence }: ComparedOnly,
): ComparisonDocument => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Comparison',
  name: spec.metadata.name,
  ...verdict,
  tookMs,
  barrier,
  leftOut: leftOutOf(spec),
  windows: rows,
  differences,
  evidence,
});

function render(found: ComparisonDocument, limit: number): string {
  const { name, verdict, reason, barrier, leftOut, windows, differences, evidence } = found;
  const shown = differences.slice(0, limit);
  const subjects = [...new Set(shown.map(({ subject }) => subject))];
  return [
    asLines([`${name}: ${verdict}. ${reason}`]),
    '',
    table(
      ['TABLE', 'VERDICT', 'MATCHED', 'REASON'],
      windows.map((r) => [
        r.subject,
        r.verdict,
        r.matched === null ? '-' : String(r.matched),
        r.reason,
      ]),
    ),
    ...subjects.flatMap((subject) => [
      '',
      asLines([`${subject}:`]),
      differenceTable(shown.filter((d) => d.subject === subject)),
    ]),
    ...(differences.length > limit
      ? [`… ${differences.length - limit} more (--limit N, or -o json)`]
      : []),
    '',
    ...leftOut.map((what) => asLines([`left out: ${what}`])),
    asLines([`barrier: ${barrier.kind}: ${barrier.proves}`, `evidence: sha256 ${evidence.digest}`]),
  ].join('\n');
}
