// sluice approve|reject|complete|break-glass ID: sends a decision as a Temporal update, because an
// update returns an answer.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import {
  ApplicationFailure,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import type { Decision } from '../domain/decisions/gate.js';
import type { CoSigned, SignedFor } from '../domain/decisions/signed-decision.js';
import { loadConfig } from '../wiring/config.js';
import { signDecision } from '../clients/signatures.js';
import { withRunning } from './support/migration-source.js';
import { nameOf, workflowIdOf } from '../domain/migration/workflow-ids.js';
import { fileText } from './support/file-text.js';
import { CliError, EXIT, print, say, type Format } from './support/output.js';
import { answering } from './support/ask-run-state.js';
import { whileServed } from './support/ask-while-served.js';

export interface DecideOptions {
  readonly approver: string;
  readonly reason: string;
  readonly evidence?: string;
  readonly yes?: boolean;
  /** The file with the approver's private key. */
  readonly key?: string;
  readonly output: Format;
}

export async function decide(
  id: string,
  decision: 'approve' | 'reject',
  options: DecideOptions,
): Promise<number> {
  requireAnswerable(options.yes);
  const answer = await withRunning(id, async (handle, client) => {
    const status = await answering(id, handle, client);
    const evidenceId = options.evidence ?? status.evidenceId ?? 'none';
    say(
      `You ${decision} ${decision === 'approve' ? `evidence ${evidenceId} of` : ''} ${status.name}:`.replace(
        '  ',
        ' ',
      ),
    );
    const evidence = await evidenceOf(client, handle);
    for (const line of shownEvidence(evidence, status.evidenceId)) say(`  ${line}`);
    await confirmByTyping(nameOf(id), decision, options.yes);
    const { approver, reason } = options;
    const token = options.key
      ? signed(options.key, { ...signedFor(id, evidence), decision, approver, evidenceId })
      : null;
    return send(client, handle, 'decideCutover', {
      decision,
      approver,
      evidenceId,
      comment: reason,
      ...(token ? { token } : {}),
    });
  });
  return answered(answer, options.output);
}

/** The answer of the `evidence` query. */
export interface EvidenceShown {
  /** The id of the workflow's first run, which continue-as-new does not change. */
  readonly run: string;
  readonly epoch: number;
  readonly planHash: string;
  readonly passesInARow: number;
  readonly covered: readonly string[];
  readonly lastWindow: {
    readonly number: number;
    readonly verdict: string;
    readonly reason: string;
    readonly at: string;
  } | null;
  /**
   * Describes what the commit switches. Before the phase `prepare`, this text is empty, and so is
   * `notes`.
   */
  readonly switches: string;
  /**
   * The approvers that the spec names, and for one hour the people who opened the gate by
   * break-glass. One of them must sign a rollback, a rejection or a rehearsal. Empty if the spec
   * names no approvers.
   */
  readonly signers: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Returns lines that show what a person decides about. `evidenceId` is the current evidence; an
 * approval that names other evidence is refused.
 */
export function shownEvidence(evidence: EvidenceShown, evidenceId: string | null): string[] {
  const { epoch, planHash, passesInARow, covered, lastWindow, switches, notes } = evidence;
  return [
    `evidence   ${evidenceId ?? 'none that can be approved now'} (epoch ${epoch}, plan ${planHash})`,
    `windows    ${passesInARow} passed in a row${covered.length > 0 ? `, on ${covered.join(', ')}` : ''}`,
    ...(lastWindow
      ? [
          `newest     window ${lastWindow.number} ${lastWindow.verdict} at ${lastWindow.at}: ${lastWindow.reason}`,
        ]
      : []),
    ...(switches ? [`switches   ${switches}`] : []),
    ...notes.map((note) => `note       ${note}`),
  ];
}

/** Sends one of the two decisions, by different people, that `complete` and `break-glass` need. */
export async function coSign(
  id: string,
  decision: CoSigned,
  options: Omit<DecideOptions, 'evidence'>,
): Promise<number> {
  await confirmByTyping(nameOf(id), decision, options.yes);
  const { approver, reason } = options;
  const answer = await withRunning(id, async (handle, client) => {
    const { evidenceId } = await answering(id, handle, client);
    const evidence = await evidenceOf(client, handle);
    const token = options.key
      ? signed(options.key, { ...signedFor(id, evidence), decision, approver, evidenceId })
      : null;
    return send(client, handle, 'coSign', {
      decision,
      approver,
      reason,
      ...(token ? { token } : {}),
    });
  });
  return answered(answer, options.output);
}

async function answered(answer: Decision, output: Format): Promise<number> {
  await print(answer, output, () =>
    answer.accepted ? `accepted: ${answer.reason}` : `refused: ${answer.reason}`,
  );
  if (!answer.accepted) say(`refused: ${answer.reason}`);
  return answer.accepted ? EXIT.ok : EXIT.failed;
}

export const signedFor = (id: string, { run }: Pick<EvidenceShown, 'run'>): SignedFor => ({
  namespace: loadConfig().temporal.namespace,
  workflowId: workflowIdOf(id),
  run,
});

export function signed(file: string, claims: Parameters<typeof signDecision>[1]): string {
  const pem = fileText(
    file,
    (reason) =>
      new CliError(EXIT.usage, 'usage', `the key ${file} cannot be read: ${reason}`, [
        'openssl genpkey -algorithm ed25519 -out FILE',
      ]),
  );
  return signDecision(pem, claims, Date.now());
}

/** Asks the run for its current evidence. An approval should name this evidence. */
export const evidenceOf = (client: Client, handle: WorkflowHandle): Promise<EvidenceShown> =>
  whileServed(client, handle.workflowId, 'The query', () =>
    handle.query<EvidenceShown>('evidence'),
  );

/** Sends a decision. A repeated request keeps its update id, so that the decision counts once. */
export async function send(
  client: Client,
  handle: WorkflowHandle,
  update: 'decideCutover' | 'coSign' | 'editSpec',
  payload: object,
): Promise<Decision> {
  try {
    const updateId = randomUUID();
    return await whileServed(client, handle.workflowId, 'The decision', () =>
      handle.executeUpdate<Decision, [object]>(update, { args: [payload], updateId }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new CliError(
        EXIT.failed,
        'refused',
        error.cause instanceof ApplicationFailure ? error.cause.message : error.message,
      );
    throw error;
  }
}

/**
 * Asks the person to type the migration's name. Throws an error with exit code 1 if the typed name
 * is wrong. If there is no terminal and `yes` is not set, throws at once instead of waiting
 * forever.
 */
export async function confirmByTyping(
  name: string,
  verb: string,
  yes: boolean | undefined,
): Promise<void> {
  requireAnswerable(yes);
  if (yes) return;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await prompt.question(`To ${verb} ${name}, type the name ${name}: `);
  prompt.close();
  if (typed.trim() !== name)
    throw new CliError(
      EXIT.failed,
      'not-confirmed',
      `"${typed.trim()}" is not the name ${name}: nothing was done`,
    );
}

/** Throws an error with exit code 2 if there is no terminal on which a person could answer. */
function requireAnswerable(yes: boolean | undefined): void {
  if (!yes && !process.stdin.isTTY)
    throw new CliError(
      EXIT.usage,
      'needs-yes',
      'this command asks for a confirmation, but there is no terminal: pass --yes',
    );
}
