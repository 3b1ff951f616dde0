// Identifies the servers on which the result was proven, so that the commit can be refused on other
// servers. After a failover to a standby that lagged, the sink's last rows may be lost, although
// the lease row still says FENCED.
import type pg from 'pg';
import { readSource } from '../../clients/postgres/connection.js';
import type { LeaseRow } from '../../clients/postgres/lease-row.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { hasTarget } from '../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';

/**
 * Returns the identity of the target's server. Returns null if the lease row is in the ledger,
 * because windows prove nothing about the ledger's server.
 */
export const leaseServer = async (
  client: pg.ClientBase,
  { batch }: ResolvedPlan,
): Promise<string | null> => (batch ? serverIdentity(client) : null);

/** Returns the identity of a separate source's server, or null if the source is the target. */
export const sourceServer = async (
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<string | null> => (hasTarget(plan) ? readSource(plan, secret, serverIdentity) : null);

/** Returns the reason why a commit on this target must not happen, or null. */
export async function targetProblem(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  { server }: LeaseRow,
): Promise<string | null> {
  return describeMove('target', plan.targetDatabase, server, await leaseServer(client, plan));
}

/** Describes a difference between the server at the fence and the server now, or returns null. */
export const describeMove = (
  place: 'source' | 'target',
  database: string,
  fenced: string | null,
  now: string | null,
): string | null =>
  fenced === now
    ? null
    : `the ${place} ${database} runs on a different server than at the fence, or was promoted (${fenced ?? 'unknown'} then, ${now ?? 'unknown'} now)`;
