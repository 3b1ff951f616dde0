// sluice doctor --leftovers [--remove]: lists the owned objects in the ledger whose migration is
// not running. Exits 1 if there are any. With --remove, it removes them, and exits 1 if some
// remain.
import { userInfo } from 'node:os';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { Systems } from '../activities/runtime/deps.js';
import { queueOfZone, zoneOf, type Zone } from '../domain/migration/task-queues.js';
import { findLeftovers, type Leftover } from '../activities/objects/leftovers.js';
import { Problem } from '../domain/failure.js';
import { isRunning } from '../clients/running-workflow.js';
import { namespaceId } from '../clients/temporal-namespace.js';
import { loadConfig, ownPod, resolveSecret } from '../wiring/config.js';
import { withClient, withLedger } from './support/migration-source.js';
import { confirmByTyping } from './decide.js';
import { whileServed } from './support/ask-while-served.js';
import { problemOf } from './support/failed-workflow.js';
import { CliError, EXIT, print, say, table, type Format } from './support/output.js';

export interface LeftoverOptions {
  readonly remove?: boolean;
  readonly routeBack?: boolean;
  readonly yes?: boolean;
  readonly output: Format;
}

/**
 * Lists or removes leftovers. Throws an error with exit code 4 if Temporal does not answer: only
 * Temporal knows whether a migration is still running.
 */
export async function leftovers(options: LeftoverOptions): Promise<number> {
  return withClient((client) =>
    withLedger(async (ledger) => {
      const systems = new Systems(resolveSecret, undefined, ownPod());
      const namespace = {
        name: client.options.namespace,
        id: await namespaceId(client.workflowService, client.options.namespace),
      };
      try {
        const look = () =>
          findLeftovers({ secret: resolveSecret, ledger, systems, namespace }, (workflowId) =>
            isRunning(client, workflowId),
          );
        let found = await look();
        if (options.remove && found.length > 0) {
          const names = [...new Set(found.map((o) => o.migration))];
          await confirmByTyping(names.join(' '), 'remove the leftovers of', options.yes);
          for (const name of names) {
            const [record] = await ledger.migrations(name);
            const zone = record ? zoneOf(record.spec.metadata.labels) : null;
            await sweep(client, name, zone, options.routeBack ?? false);
          }
          found = await look();
        }
        await print({ leftovers: found }, options.output, () => render(found));
        return found.length === 0 ? EXIT.ok : EXIT.failed;
      } finally {
        await systems.close();
      }
    }),
  );
}

async function sweep(client: Client, name: string, zone: Zone, routeBack: boolean): Promise<void> {
  say(`removing what ${name} left (workflow sweep-${name}) …`);
  const input = { name, by: userInfo().username, routeBack };
  const handle = await client.workflow.start('sweepLeftovers', {
    taskQueue: queueOfZone(loadConfig().taskQueue, zone),
    workflowId: `sweep-${name}`,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [input],
    memo: { starter: input.by },
  });
  const { refused } = await whileServed(
    client,
    handle.workflowId,
    'The sweep',
    async () => (await handle.result()) as { refused: string | null },
  ).catch((error: unknown) => {
    throw error instanceof WorkflowFailedError ? whyStopped(name, error) : error;
  });
  if (refused)
    throw new CliError(EXIT.failed, 'refused', `${name}: ${refused}; no object was removed`, [
      'sluice doctor --leftovers --remove --route-back',
    ]);
}

/**
 * Returns the error of a sweep that ended early. With the code `name-refused`, nothing was removed.
 * After any other failure, some objects may be gone.
 */
export function whyStopped(name: string, error: WorkflowFailedError): Error {
  const problem = problemOf(error);
  if (!problem) return error;
  const { code, message, remedy } = problem;
  if (code === 'name-refused')
    return new CliError(EXIT.failed, 'refused', `${name}: ${message}; no object was removed`, [
      remedy,
    ]);
  return new Problem(
    code,
    `the sweep of ${name} stopped, and may have removed some objects: ${message}`,
    'correct what the message names, then: sluice doctor --leftovers --remove',
  );
}

function render(found: readonly Leftover[]): string {
  if (found.length === 0)
    return 'no leftovers: every object in the ledger was removed, was handed over, or belongs to a running migration';
  return [
    table(
      ['MIGRATION', 'KIND', 'NAME', 'WHERE', 'PRESENCE'],
      found.map((o) => [
        o.migration,
        o.kind,
        o.name,
        o.where,
        o.detail ? `${o.presence}: ${o.detail}` : o.presence,
      ]),
    ),
    '',
    `${found.length} objects belong to no running migration. Remove them with: sluice doctor --leftovers --remove`,
  ].join('\n');
}
