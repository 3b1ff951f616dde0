// Approves a migration on a stack whose processes a test kills.
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { reach, sluice } from './sluice.js';

const APPROVAL_MS = 20 * 60_000;

/**
 * Approves each time the run asks for an approval with new evidence, until `isReached` returns true.
 * One approval may not be enough: if processes restart, it can become void.
 */
export async function approveUntil(
  name: string,
  what: string,
  isReached: (status: StatusWithWindows) => boolean,
): Promise<void> {
  const approved = new Set<string>();
  await reach(
    name,
    what,
    (status) => {
      const { needsApproval, evidenceId } = status;
      if (needsApproval && evidenceId && !approved.has(evidenceId)) {
        approved.add(evidenceId);
        sluice('approve', name, '--approver', 'ann', '--reason', 'proven', '--yes');
      }
      return isReached(status);
    },
    APPROVAL_MS,
  );
}
