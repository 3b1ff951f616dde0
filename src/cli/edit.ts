// sluice edit ID -f FILE: shows what differs from the spec of the running migration. Then it asks
// the run to accept the new spec. The run also checks the edit, because the run's state may
// have changed in between.
import { userInfo } from 'node:os';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Decision } from '../domain/decisions/gate.js';
import { signedEdit } from '../domain/decisions/edit-gate.js';
import { describeEdit, specEdit, type SpecEdit } from '../domain/decisions/spec-changes.js';
import type { SpecShown } from '../domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { planHash } from '../manifest/build-plan.js';
import { confirmByTyping, send, signed, signedFor } from './decide.js';
import { withRunning } from './support/migration-source.js';
import { CliError, EXIT, print, say, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';
import { whileServed } from './support/ask-while-served.js';

export interface EditOptions {
  readonly file: string;
  readonly reason?: string;
  readonly by?: string;
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly output: Format;
}

export async function edit(id: string, options: EditOptions): Promise<number> {
  const wanted = readSpec(options.file);
  return withRunning(id, async (handle, client) => {
    const shown = await whileServed(client, handle.workflowId, 'The query', () =>
      handle.query<SpecShown>('spec'),
    );
    if (!shown.spec)
      throw new CliError(EXIT.failed, 'not-open', `${nameOf(id)} is still starting`, [
        `sluice get ${nameOf(id)} -w`,
      ]);
    const found = specEdit(shown.spec, wanted, shown);
    for (const line of linesOf(found)) say(line);
    refuseBad(id, found);
    if (found.changes.length === 0 || options.dryRun) {
      await print({ ...found, applied: false }, options.output, () =>
        found.changes.length === 0 ? 'nothing changes' : 'nothing was changed (--dry-run)',
      );
      return EXIT.ok;
    }
    const answer = await ask(id, { handle, client, shown, wanted, options });
    await print({ ...found, ...answer }, options.output, () =>
      answer.accepted ? `accepted: ${answer.reason}` : `refused: ${answer.reason}`,
    );
    return answer.accepted ? EXIT.ok : EXIT.failed;
  });
}

interface Asking {
  readonly handle: WorkflowHandle;
  readonly client: Client;
  readonly shown: SpecShown;
  readonly wanted: MigrationSpec;
  readonly options: EditOptions;
}

async function ask(
  id: string,
  { handle, client, shown, wanted, options }: Asking,
): Promise<Decision> {
  const { reason, key } = options;
  if (reason === undefined)
    throw new CliError(EXIT.usage, 'usage', 'an edit needs its reason: --reason "..."');
  await confirmByTyping(nameOf(id), 'edit', options.yes);
  const by = options.by ?? userInfo().username;
  const { run, planHash: base } = shown;
  const token = key
    ? signed(key, {
        ...signedFor(id, { run }),
        decision: 'edit',
        approver: by,
        evidenceId: signedEdit(planHash(wanted)),
      })
    : null;
  const payload = { by, reason, run, base, spec: wanted, ...(token ? { token } : {}) };
  return send(client, handle, 'editSpec', payload);
}

/**
 * Returns a line for each change. The line says whether the change is refused or begins a new
 * epoch.
 */
export function linesOf({ changes, refused, evidence }: SpecEdit): string[] {
  const mark = (path: string): string => {
    if (refused.some((one) => one.path === path)) return '  refused';
    return evidence.includes(path) ? '  begins a new epoch' : '';
  };
  return changes.map((change) => `${describeEdit(change)}${mark(change.path)}`);
}

function refuseBad(id: string, { refused }: SpecEdit): void {
  if (refused.length === 0) return;
  throw new CliError(
    EXIT.failed,
    'refused',
    `${nameOf(id)} does not accept a change of ${refused.map(({ path, reason }) => `${path} (${reason})`).join(', ')}`,
    [...new Set(refused.map(({ remedy }) => remedy))],
  );
}
