// sluice list: all migrations that the ledger knows, newest iteration of each.
import { withLedger } from './access.js';
import { EXIT, print, table, type Format } from './output.js';

export async function list(options: { output: Format }): Promise<number> {
  const records = await withLedger((ledger) => ledger.migrations());
  const newest = records.filter((record, at) => records[at - 1]?.name !== record.name);
  const items = newest.map((m) => ({
    name: m.name,
    iteration: m.iteration,
    phase: m.status?.phase ?? null,
    outcome: m.outcome,
    blocked: m.status?.blocked?.code ?? null,
    needsApproval: m.status?.needsApproval ?? false,
    startedAt: m.started_at.toISOString(),
  }));
  await print(items, options.output, () =>
    items.length === 0
      ? 'no migrations'
      : table(
          ['NAME', 'ITERATION', 'PHASE', 'STATE', 'STARTED'],
          items.map((m) => [
            m.name,
            String(m.iteration),
            m.phase ?? '-',
            m.outcome ?? (m.blocked ? `blocked (${m.blocked})` : m.needsApproval ? 'needs approval' : 'running'),
            m.startedAt,
          ]),
        ),
  );
  return EXIT.ok;
}
