// Which side consumers read, asked where they read it.
import { getRoute } from '../../clients/http/route-http.js';
import { observedSide } from '../../clients/postgres/consumer-view.js';
import { observedOwner } from '../../clients/postgres/shared-table-sql.js';
import { withSource } from '../../clients/postgres/connection.js';
import { Problem, type Blocked } from '../../domain/failure.js';
import type { Route } from '../../domain/evidence/ledger-rows.js';
import { parseTableName, qualified } from '../../domain/migration/names.js';
import type { Deps } from '../runtime/deps.js';
import { classify } from '../runtime/application-failure.js';
import { BRIEFLY, leaseAccess } from '../objects/lease-store.js';
import type { Planned } from '../runtime/with-plan.js';

/** Asks through the consumers' own view, the route's own answer, a write of no row, or (where nothing is ours to switch) the lease row. Throws `route-unexpected` when it is neither side. */
export function routeReader({
  secret,
  ledger,
}: Pick<Deps, 'secret' | 'ledger'>): (run: Planned) => Promise<Route> {
  const { onLease, lease } = leaseAccess({ secret, ledger });

  /** By trying, as the sink and as anybody else: Problem `route-unexpected` when the table is not the stream's alone. */
  async function demandOwner({ ref, plan }: Planned, table: string, epoch: number): Promise<void> {
    const owner = await withSource(plan, secret, (client) => observedOwner(client, ref, epoch));
    if (owner !== 'stream')
      throw new Problem(
        'route-unexpected',
        `the lease row gives ${table} to the stream, and its trigger does not`,
      );
  }

  return async (run: Planned): Promise<Route> => {
    const { plan } = run;
    const { route } = plan.spec.cutover;
    const observedAt = new Date().toISOString();
    if (route.type === 'http') return { side: await getRoute(route.url), observedAt };
    if (route.type !== 'postgres-view') {
      const row = await onLease(plan, BRIEFLY, (client) => lease(client, run));
      const side = row.state === 'SWITCHED' ? 'stream' : 'batch';
      if (route.type === 'postgres-table' && side === 'stream')
        await demandOwner(run, route.table, row.epoch);
      return { side, observedAt };
    }
    return withSource(plan, secret, async (client) => {
      const side = await observedSide(client, route);
      if (!side)
        throw new Problem(
          'route-unexpected',
          `view ${route.view} reads neither only ${route.batch} nor only ${route.stream}`,
        );
      await client.query(`SELECT * FROM ${qualified(parseTableName(route.view))} LIMIT 1`); // as a consumer would
      return { side, observedAt };
    });
  };
}

export type RouteProblem = Pick<Blocked, 'code' | 'detail' | 'remedy'>;

/** Null = consumers read the stream, as was committed; else what is there instead, or why it cannot be known. Never throws. */
export async function routeProblem(
  read: (run: Planned) => Promise<Route>,
  run: Planned,
): Promise<RouteProblem | null> {
  const told = ({ code, message, remedy }: Problem): RouteProblem => ({
    code,
    detail: message,
    remedy,
  });
  try {
    const { side } = await read(run);
    return side === 'stream'
      ? null
      : told(
          new Problem(
            'route-unexpected',
            `consumers read the ${side} side, which is not what was committed`,
          ),
        );
  } catch (error) {
    return told(classify(error));
  }
}
