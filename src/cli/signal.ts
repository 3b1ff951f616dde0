// sluice pause|resume|retry|extend|rollback|cancel ID: sends one message to the running workflow.
import { userInfo } from 'node:os';
import { readStatus, withRunning } from './support/migration-source.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { confirmByTyping, signed, evidenceOf, signedFor, type EvidenceShown } from './decide.js';
import { DURATION_PATTERN } from '../domain/values/duration.js';
import { within } from './support/ask-run-state.js';
import { CliError, EXIT, print, say, type Format } from './support/output.js';

export async function signal(
  id: string,
  name: 'pause' | 'resume' | 'retry',
  options: { output: Format },
): Promise<number> {
  await withRunning(id, (handle) => handle.signal(name));
  return confirmSent(id, name, options.output);
}

export async function extend(
  id: string,
  options: { for: string; by?: string; output: Format },
): Promise<number> {
  if (!DURATION_PATTERN.test(options.for))
    throw new CliError(
      EXIT.usage,
      'usage',
      `--for ${options.for} is not a duration: expected one like 30m, 2h or 7d`,
    );
  await withRunning(id, (handle) =>
    handle.signal('extendSoak', { by: options.by ?? userInfo().username, for: options.for }),
  );
  return confirmSent(id, 'extend', options.output);
}

export async function rollback(
  id: string,
  options: { reason: string; by?: string; key?: string; yes?: boolean; output: Format },
): Promise<number> {
  await confirmByTyping(nameOf(id), 'roll back', options.yes);
  const by = options.by ?? userInfo().username;
  await withRunning(id, async (handle, client) => {
    // A rollback without a key must also work while no worker answers queries. Temporal then keeps
    // the signal, and a worker that starts later decides whether it is valid.
    const evidence = await (options.key
      ? evidenceOf(client, handle)
      : within(client, () => handle.query<EvidenceShown>('evidence')).catch(() => null));
    requireSigner(id, by, options.key, evidence?.signers ?? []);
    const claims =
      options.key && evidence
        ? {
            ...signedFor(id, evidence),
            decision: 'rollback' as const,
            approver: by,
            evidenceId: null,
          }
        : null;
    await handle.signal('rollBack', {
      by,
      reason: options.reason,
      ...(claims ? { token: signed(options.key!, claims) } : {}),
    });
  });
  return confirmSent(id, 'rollback', options.output);
}

/**
 * Throws if the worker would ignore the rollback. If the spec names approvers, the worker ignores a
 * rollback that is not signed, or whose signer is not one of the approvers.
 */
function requireSigner(
  id: string,
  by: string,
  key: string | undefined,
  signers: readonly string[],
): void {
  if (signers.length === 0 || (key !== undefined && signers.includes(by))) return;
  const why = signers.includes(by)
    ? `the spec names approvers, so ${by} must sign a rollback`
    : `${by} is not one of the approvers ${signers.join(', ')}, who must sign a rollback`;
  throw new CliError(EXIT.failed, 'unauthenticated', `refused: ${why}`, [
    `sluice rollback ${nameOf(id)} --reason "..." --by ${signers[0]} --key FILE`,
  ]);
}

export async function cancel(
  id: string,
  options: { yes?: boolean; output: Format },
): Promise<number> {
  await confirmByTyping(nameOf(id), 'cancel', options.yes);
  await withRunning(id, (handle) => handle.cancel());
  return confirmSent(id, 'cancel', options.output);
}

/**
 * Prints that the request was sent. If the run cannot continue at the moment, also prints why,
 * because the request takes effect only when the run continues.
 */
async function confirmSent(id: string, what: string, output: Format): Promise<number> {
  const { standing } = await readStatus(id).catch(() => ({ standing: undefined }));
  if (standing?.problem) {
    say(`${what} will take effect only when the run continues: ${standing.problem}`);
    for (const remedy of standing.remedy) say(`  → ${remedy}`);
  }
  const next = [`sluice get ${nameOf(id)} -w`];
  await print(
    { id: nameOf(id), requested: what, next },
    output,
    () => `${what} requested for ${nameOf(id)}\n  next: ${next[0]}`,
  );
  return EXIT.ok;
}
