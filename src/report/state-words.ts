// Names the state of a migration in a few words. `sluice get`, `sluice list` and the dashboard use
// the same words.
import type { Status } from '../domain/evidence/ledger-rows.js';
import type { Standing } from '../domain/migration/run-standing.js';

/** The remedy for objects that an ended run left over. The command finds them in the ledger. */
export const REMOVE_LEFTOVERS =
  'sluice doctor --leftovers --remove; remove by hand what it does not list (sluice audit ID names it)';

/**
 * Returns for example `needs approval`, `blocked (slot-lost)`, `terminated` or `running (no
 * worker)`.
 */
export function stateOf(
  status: Pick<Status, 'outcome' | 'blocked' | 'paused' | 'needsApproval' | 'approved'> & {
    readonly standing?: Standing;
  },
): string {
  if (status.outcome !== null) return status.outcome;
  const trouble = status.standing?.state ?? null;
  if (trouble !== null && status.standing!.isDead) return trouble;
  const own = status.blocked
    ? `blocked (${status.blocked.code})`
    : status.paused
      ? 'paused'
      : status.approved
        ? 'approved'
        : status.needsApproval
          ? 'needs approval'
          : 'running';
  return trouble === null ? own : `${own} (${trouble})`;
}
