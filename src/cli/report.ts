// sluice report ID -o md|json: the proof, from the ledger alone.
import { buildReport } from '../report/build-report.js';
import { renderMarkdown } from '../report/markdown.js';
import { nameOf, withLedger } from './access.js';
import { CliError, EXIT, write } from './output.js';

export async function report(id: string, options: { output: string }): Promise<number> {
  const name = nameOf(id);
  const built = await withLedger(async (ledger) => {
    const record = (await ledger.migrations(name))[0];
    if (!record?.status) throw new CliError(EXIT.failed, 'not-found', `no migration ${name} is in the ledger`, ['sluice list']);
    const [windows, events] = [await ledger.windows(name, record.iteration), await ledger.events(name, record.iteration)];
    return buildReport(record.status, record.plan_hash, record.started_at.toISOString(), windows, events);
  });
  write(options.output === 'json' ? JSON.stringify(built, null, 2) : renderMarkdown(built));
  return EXIT.ok;
}
