// sluice audit ID: prints what happened in the newest run of this name and who decided it, oldest
// first, from the ledger.
import { withLedger } from './support/migration-source.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { auditLine } from '../domain/audit.js';
import { CliError, EXIT, print, table, type Format } from './support/output.js';

export async function audit(id: string, options: { output: Format }): Promise<number> {
  const name = nameOf(id);
  const events = await withLedger(async (ledger) => {
    const record = (await ledger.migrations(name))[0];
    if (!record)
      throw new CliError(EXIT.failed, 'not-found', `no migration ${name} is in the ledger`, [
        'sluice list',
      ]);
    return (await ledger.events(name, record.iteration)).map(auditLine);
  });
  await print(events, options.output, () =>
    table(
      ['AT', 'EVENT', 'DETAIL'],
      events.map((e) => [e.at, e.kind, e.detail]),
    ),
  );
  return EXIT.ok;
}
