// sluice start -f FILE: starts the workflow. If a migration of that name is already running, the
// verb ends with exit code 1 and changes nothing.
import { userInfo } from 'node:os';
import { loadConfig } from '../wiring/config.js';
import { queueOfZone, zoneOf } from '../domain/migration/task-queues.js';
import { migrationId } from '../domain/migration/workflow-ids.js';
import { KEYS } from '../workflows/run/search-attribute-keys.js';
import { openLedger, withClient } from './support/migration-source.js';
import { CliError, EXIT, print, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';
import { staticDetails } from './support/static-details.js';
import { watch } from './get.js';
import { deadEnd } from './support/poll-status.js';
import { startWhenFree } from './support/start-when-free.js';

export async function start(options: {
  file: string;
  output: Format;
  watch?: boolean;
}): Promise<number> {
  const migration = readSpec(options.file);
  const { batch, source } = migration.spec;
  const { name, labels } = migration.metadata;
  const workflowId = migrationId(name);
  const runId = await withClient(async (client) => {
    const started = await startWhenFree(client, workflowId, async () => {
      await refuseUnfit(name);
      return client.workflow.start('migrateToStreaming', {
        workflowId,
        taskQueue: queueOfZone(loadConfig().taskQueue, zoneOf(labels)),
        args: [migration],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        memo: { starter: userInfo().username },
        staticSummary: `${batch?.result.table ?? source.tables.join(', ')} → Kafka`.slice(0, 120),
        staticDetails: staticDetails(migration),
        typedSearchAttributes: [
          { key: KEYS.team, value: labels['team'] ?? 'none' },
          { key: KEYS.source, value: source.postgres.database },
        ],
      });
    });
    if (started) return started.firstExecutionRunId;
    throw new CliError(
      EXIT.failed,
      'already-running',
      `migration ${name} is already running; nothing was changed`,
      [`sluice get ${name}`],
    );
  });
  const { temporalUiUrl, temporal } = loadConfig();
  const uiUrl = temporalUiUrl
    ? `${temporalUiUrl}/namespaces/${temporal.namespace}/workflows/${workflowId}/${runId}/history`
    : null;
  const result = { id: name, workflowId, runId, uiUrl, next: [`sluice get ${name} -w`] };
  await print(
    result,
    options.output,
    () => `started ${workflowId}${uiUrl ? `\n  ${uiUrl}` : ''}\n  next: ${result.next[0]}`,
  );
  return options.watch ? watch(workflowId, options.output) : EXIT.ok;
}

/**
 * Throws if the workflow would refuse the name, so that the person learns this immediately. If no
 * ledger is configured, or it does not answer, only the workflow can refuse the name.
 */
async function refuseUnfit(name: string): Promise<void> {
  const ledger = openLedger();
  const latest = ledger ? (await ledger.migrations(name).catch(() => []))[0] : undefined;
  const open = ledger && latest ? await ledger.openObjects(name).catch(() => []) : [];
  await ledger?.close();
  if (latest?.outcome === 'migrated')
    throw new CliError(
      EXIT.failed,
      'name-refused',
      `${name} was already migrated (iteration ${latest.iteration}); nothing was changed`,
      [`sluice report ${name} -o md`],
    );
  if (open.length > 0 && (await withClient((client) => deadEnd(migrationId(name), client))))
    throw new CliError(
      EXIT.failed,
      'not-cleaned-up',
      `an earlier run of ${name} left ${open.map((o) => `${o.kind} ${o.name}`).join(', ')}; nothing was changed`,
      ['sluice doctor --leftovers --remove'],
    );
}
