// Implements the route `http`: another system serves the consumers. PUT sets the side, and GET
// reads it.
import { getRoute, putRoute } from '../../../clients/http/route-http.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import type { HttpPlan } from '../../../domain/routes/route.js';
import { attempt, type Answer } from '../../runtime/make-finding.js';
import { leaseIfAnyNow, leaseNow } from './lease-now.js';
import {
  NO_EFFECTS,
  type RouteAdapter,
  type RouteDeps,
  type RouteEffects,
} from './route-adapter.js';

const PER_ITERATION = 1_000_000;
/**
 * Returns the number that Sluice sends with a request to switch. The service must ignore a request
 * whose number is smaller than that of an earlier request. The number combines iteration and epoch,
 * so that it also increases when a migration of the same name starts again.
 */
const orderEpoch = (ref: MigrationRef, epoch: number): number =>
  ref.iteration * PER_ITERATION + epoch;

export const httpRoute: RouteAdapter<HttpPlan> = {
  checks: async (_databases, _plan, { url }) => [
    await attempt('route.http', () => servesBatch(url), '', 'make GET answer {"side": "batch"}'),
  ],
  effects,
};

function effects({ url }: HttpPlan, deps: RouteDeps): RouteEffects {
  return {
    ...NO_EFFECTS,

    async afterCommit(run) {
      const { ref } = run;
      const { epoch } = await leaseNow(deps, run);
      await putRoute(url, {
        migration: ref.name,
        side: 'stream',
        epoch: orderEpoch(ref, epoch),
      });
    },

    observe: () => getRoute(url),

    async beforeBack(run) {
      const { ref } = run;
      const row = await leaseIfAnyNow(deps, run);
      await putRoute(url, {
        migration: ref.name,
        side: 'batch',
        // without a lease row, send the highest number of this iteration, which exceeds the numbers
        // of all earlier requests
        epoch: orderEpoch(ref, row ? row.epoch + 1 : PER_ITERATION - 1),
      });
    },
  };
}

async function servesBatch(url: string): Promise<Answer> {
  const side = await getRoute(url);
  return side === 'batch'
    ? 'the route serves the batch side'
    : {
        detail: 'the route serves the stream side before any cut-over',
        remedy: 'switch the service to the batch side first',
      };
}
