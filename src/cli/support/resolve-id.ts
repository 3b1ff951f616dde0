// Finds out which migration a person means. The name of a migration may begin with `migration-`,
// and then looks like the workflow id of another migration.
import { isWorkflowId, migrationId, nameOf } from '../../domain/migration/workflow-ids.js';
import { within } from './ask-run-state.js';
import { openLedger, withClientOrNull } from './migration-source.js';
import { CliError, EXIT } from './output.js';

/** Returns whether a migration with this `metadata.name` is known. */
export type IsKnown = (name: string) => Promise<boolean>;

/**
 * Returns `id`, or the workflow id if `id` is a name that looks like a workflow id. Throws an error
 * with exit code 2 if `id` is the name of one migration and the workflow id of another.
 */
export async function chosen(id: string, isKnown: IsKnown): Promise<string> {
  if (!isWorkflowId(id) || !(await isKnown(id))) return id;
  if (!(await isKnown(nameOf(id)))) return migrationId(id);
  throw new CliError(
    EXIT.usage,
    'ambiguous',
    `${id} is the name of one migration and the workflow id of another; nothing was done`,
    [`use ${migrationId(id)} or ${nameOf(id)}`],
  );
}

/** Does the same as `chosen` with the migrations of Temporal and of the ledger. */
export async function resolveId(id: string): Promise<string> {
  if (!isWorkflowId(id)) return id;
  const ledger = openLedger();
  try {
    return await withClientOrNull((client) =>
      chosen(id, async (name) => {
        const recorded = await (ledger?.migrations(name) ?? Promise.resolve([])).catch(() => []);
        if (recorded.length > 0 || !client) return recorded.length > 0;
        const workflow = client.workflow.getHandle(migrationId(name));
        return within(client, () => workflow.describe()).then(
          () => true,
          () => false,
        );
      }),
    );
  } finally {
    await ledger?.close();
  }
}
