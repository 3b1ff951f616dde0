// sluice report ID -o md|html|json: the proof, from the ledger alone.
import { buildReport } from '../report/build-report.js';
import { renderMarkdown } from '../report/markdown.js';
import { nameOf, withLedger } from './access.js';
import { CliError, EXIT, write } from './output.js';

export async function report(id: string, options: { output: string }): Promise<number> {
  const name = nameOf(id);
  const built = await withLedger(async (ledger) => {
    const record = (await ledger.migrations(name))[0];
    if (!record?.status) throw new CliError(EXIT.failed, 'not-found', `no migration ${name} is in the ledger`, ['sluice list']);
    const { iteration } = record;
    const [windows, evidence, events] = [await ledger.windows(name, iteration), await ledger.evidence(name, iteration), await ledger.events(name, iteration)];
    return buildReport({ status: record.status, planHash: record.plan_hash, startedAt: record.started_at.toISOString() }, windows, evidence, events);
  });
  if (options.output === 'html') write((await import('../report/html.js')).renderHtml(built));
  else write(options.output === 'json' ? JSON.stringify(built, null, 2) : renderMarkdown(built));
  return EXIT.ok;
}
