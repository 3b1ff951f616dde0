// sluice report ID -o md|html|json: writes the report, from the ledger alone. With `verify FILE`,
// it compares the report with the ledger and with Temporal's history. It also computes the ledger's
// hashes and verdicts again.
import { readFileSync } from 'node:fs';
import type { Ledger } from '../clients/ledger/ledger.js';
import { buildReport, type Report, type ReportSource } from '../report/build-report.js';
import { renderMarkdown } from '../report/report-markdown.js';
import { anchored, lastWindowOf, readReport, verifyReport } from '../report/verify.js';
import { type Finding } from '../report/verify-links.js';
import { withLedger } from './support/migration-source.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { CliError, EXIT, print, table, write, type Format } from './support/output.js';

const SAMPLES = 20;

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

export async function report(
  id: string,
  file: string | undefined,
  options: { output: string; showValues?: boolean },
): Promise<number> {
  if (id === 'verify' && file !== undefined)
    return verify(file, options.output as Format | 'md' | 'html');
  if (file !== undefined)
    throw new CliError(EXIT.usage, 'usage', `unexpected argument ${file}`, [
      'sluice report verify FILE',
    ]);
  const source = await withLedger((ledger) =>
    ledger.inSnapshot((view) => readSource(view, nameOf(id))),
  );
  const built = buildReport(source, { version, showValues: options.showValues ?? false });
  if (options.output === 'html')
    write((await import('../report/report-page.js')).renderHtml(built));
  else write(options.output === 'json' ? JSON.stringify(built, null, 2) : renderMarkdown(built));
  return EXIT.ok;
}

/**
 * Reads everything that a report shows. `iteration` is the newest by default. `upTo` is the last
 * window whose differences count. Throws an error with exit code 1 if the ledger does not know the
 * migration.
 */
async function readSource(
  ledger: Ledger,
  name: string,
  iteration?: number,
  upTo = Infinity,
): Promise<ReportSource & { readonly runKey: string }> {
  const record = (await ledger.migrations(name)).find(
    (m) => iteration === undefined || m.iteration === iteration,
  );
  if (!record)
    throw new CliError(EXIT.failed, 'not-found', `no migration ${name} is in the ledger`, [
      'sluice list',
    ]);
  if (!record.status)
    throw new CliError(
      EXIT.failed,
      'no-status',
      `migration ${name} has only begun, so the ledger has nothing to report yet`,
      [`sluice get ${name}`],
    );
  const { status, spec, plan_hash: planHash } = record;
  const windows = await ledger.windows(name, record.iteration);
  const differing = await ledger.differencesByColumn(name, record.iteration, upTo);
  const newest = Math.max(0, ...differing.map((d) => d.last));
  const differences = newest === 0 ? [] : await ledger.differences(name, record.iteration, newest);
  return {
    runKey: record.run_key,
    status,
    spec,
    planHash,
    startedAt: record.started_at.toISOString(),
    windows,
    evidence: await ledger.evidence(name, record.iteration),
    samples: await ledger.samples(name, record.iteration),
    differing,
    differences: differences.slice(0, SAMPLES).map((d) => d.difference),
    events: await ledger.events(name, record.iteration),
  };
}

async function verify(file: string, output: Format | 'md' | 'html'): Promise<number> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.usage, 'usage', `${file} cannot be read: ${(error as Error).message}`);
  }
  const found = readReport(text);
  if (!found.ok)
    throw new CliError(EXIT.usage, 'usage', `${file} ${found.reason}`, [
      'sluice report ID -o html > FILE',
    ]);
  const read = found.value;
  const { name, status } = read.report;
  const source = await withLedger((ledger) =>
    ledger.inSnapshot((view) =>
      readSource(view, name, status.iteration, lastWindowOf(read.report)),
    ),
  );
  const anchors = await (
    await import('./support/evidence-anchors.js')
  ).anchorsOf(name, source.runKey);
  const findings = [...verifyReport(read, source, version), anchored(source.evidence, anchors)];
  const isWhole = findings.every((f) => f.holds !== false);
  const format = output === 'md' || output === 'html' ? 'text' : output;
  await print({ file, holds: isWhole, checks: findings }, format, () =>
    renderFindings(read.report, findings, isWhole),
  );
  return isWhole ? EXIT.ok : EXIT.failed;
}

function renderFindings(read: Report, findings: readonly Finding[], isWhole: boolean): string {
  const rows = findings.map((f) => [
    f.holds === null ? 'UNKNOWN' : f.holds ? 'holds' : 'BROKEN',
    f.what,
    f.detail,
  ]);
  return `${table(['', 'CHECK', 'DETAIL'], rows)}\n\n${isWhole ? `The report of ${read.name} agrees with the ledger.` : `The report of ${read.name}, the ledger and Temporal's history do not all agree.`}`;
}
