// Which side consumers read, asked where they read it.
import { getRoute } from '../clients/route-http.js';
import { observedSide } from '../clients/route.js';
import { observedOwner } from '../clients/shared-table.js';
import { withSource } from '../clients/source.js';
import { Problem, type Blocked } from '../domain/failure.js';
import type { MigrationRef, Route } from '../domain/ledger.js';
import { parseTableName, qualified } from '../domain/names.js';
import { sharedTableOf } from '../domain/shared-table.js';
import type { Deps } from './deps.js';
import { classify } from './failure.js';
import { BRIEFLY, leaseAccess } from './lease.js';

/** Asks through the consumers' own view, the route's own answer, a write of no row, or (where nothing is ours to switch) the lease row. Throws `route-unexpected` when it is neither side. */
export function routeReader({ secret, ledger }: Pick<Deps, 'secret' | 'ledger'>): (ref: MigrationRef) => Promise<Route> {
  const { onLease, lease } = leaseAccess({ secret, ledger });

  /** By trying, as the sink and as anybody else: Problem `route-unexpected` when the table is not the stream's alone. */
  async function demandOwner(ref: MigrationRef, epoch: number): Promise<void> {
    const owner = await withSource(ref.spec, secret, (client) => observedOwner(client, ref, epoch));
    if (owner !== 'stream')
      throw new Problem('route-unexpected', `the lease row gives ${sharedTableOf(ref.spec)!.table} to the stream, and its trigger does not`);
  }

  return async (ref: MigrationRef): Promise<Route> => {
    const { route } = ref.spec.spec.cutover;
    const observedAt = new Date().toISOString();
    if (route.type === 'http') return { side: await getRoute(route.url), observedAt };
    if (route.type !== 'postgres-view') {
      const row = await onLease(ref, BRIEFLY, (client) => lease(client, ref));
      const side = row.state === 'SWITCHED' ? 'stream' : 'batch';
      if (route.type === 'postgres-table' && side === 'stream') await demandOwner(ref, row.epoch);
      return { side, observedAt };
    }
    return withSource(ref.spec, secret, async (client) => {
      const side = await observedSide(client, route);
      if (!side) throw new Problem('route-unexpected', `view ${route.view} reads neither only ${route.batch} nor only ${route.stream}`);
      await client.query(`SELECT * FROM ${qualified(parseTableName(route.view))} LIMIT 1`); // as a consumer would
      return { side, observedAt };
    });
  };
}

export type RouteProblem = Pick<Blocked, 'code' | 'detail' | 'remedy'>;

/** Null = consumers read the stream, as was committed; else what is there instead, or why it cannot be known. Never throws. */
export async function routeProblem(read: (ref: MigrationRef) => Promise<Route>, ref: MigrationRef): Promise<RouteProblem | null> {
  const told = ({ code, message, remedy }: Problem): RouteProblem => ({ code, detail: message, remedy });
  try {
    const { side } = await read(ref);
    return side === 'stream' ? null : told(new Problem('route-unexpected', `consumers read the ${side} side, which is not what was committed`));
  } catch (error) {
    return told(classify(error));
  }
}
