// Decides which notices are sent for a migration's state. A notice contains names, codes and their
// meanings, but no text of other systems. The detail of a block may quote another system, so it
// stays in the ledger.
import { FAILURES } from '../failure.js';
import type { Status } from './ledger-rows.js';

export type NoticeKind =
  | 'needs-approval'
  | 'blocked'
  | 'rolled-back'
  | 'migrated'
  | 'ended-without-cleanup';

export interface Notice {
  /** Identifies the occasion of the notice, so that each notice is sent only once. */
  readonly key: string;
  readonly kind: NoticeKind;
  readonly migration: string;
  readonly iteration: number;
  /** The text that is sent to people. */
  readonly text: string;
  /** The command that shows more, or that helps. */
  readonly next: string;
}

/** Returns the notices of a state. An aborted or rejected migration counts as rolled back. */
export function noticesOf(status: Status): Notice[] {
  const { name, iteration, outcome, blocked, needsApproval, evidenceId } = status;
  const notice = (kind: NoticeKind, key: string, text: string, next: string): Notice => ({
    key: `${kind}/${key}`,
    kind,
    migration: name,
    iteration,
    text,
    next,
  });
  if (outcome === 'migrated')
    return [notice('migrated', '', `${name} is migrated.`, `sluice report ${name} -o md`)];
  if (outcome !== null)
    return [
      notice('rolled-back', '', `${name} ended as ${outcome}.`, `sluice report ${name} -o md`),
    ];
  if (blocked) {
    const text = `${name} is blocked (${blocked.code}): ${FAILURES[blocked.code].meaning}.`;
    return [notice('blocked', `${blocked.code}/${blocked.since}`, text, `sluice explain ${name}`)];
  }
  if (needsApproval && evidenceId !== null) {
    const text = `${name} needs approval of evidence ${evidenceId}.`;
    return [notice('needs-approval', evidenceId, text, `sluice get ${name}`)];
  }
  return [];
}

/**
 * Returns the notice for a run whose workflow has ended or no longer exists, although its objects
 * still exist.
 */
export function endedWithoutCleanup(
  { name, iteration }: { readonly name: string; readonly iteration: number },
  state: string,
  objects: number,
): Notice {
  return {
    key: 'ended-without-cleanup/',
    kind: 'ended-without-cleanup',
    migration: name,
    iteration,
    text: `The workflow of ${name} is ${state}, and ${objects} of its objects still exist. Its replication slot may retain WAL on the source.`,
    next: 'sluice doctor --leftovers',
  };
}
