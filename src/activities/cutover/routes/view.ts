// Implements the route `postgres-view`: the commit replaces the relation that the consumers' view
// reads.
import type pg from 'pg';
import { readSource } from '../../../clients/postgres/connection.js';
import {
  columnsRead,
  observedSide,
  readView,
  viewReads,
} from '../../../clients/postgres/consumer-view.js';
import { withTarget } from '../../../clients/postgres/target-connection.js';
import { relatedProblem } from '../../../clients/postgres/related-tables.js';
import { Problem } from '../../../domain/failure.js';
import type { ViewPlan } from '../../../domain/routes/route.js';
import { attempt } from '../../runtime/make-finding.js';
import {
  NO_EFFECTS,
  type RouteAdapter,
  type RouteDeps,
  type RouteEffects,
} from './route-adapter.js';
import { uncomparedProblem } from './uncompared-columns.js';
import { checkView } from './view-checks.js';
import { cannotSwitch, missingView, switchView, switchViewBack } from './view-switch.js';

export const viewRoute: RouteAdapter<ViewPlan> = {
  checks: async (databases, plan, route) => [
    await attempt('route.view', () => checkView(databases, plan, route), route.view.text),
  ],
  effects,
};

/** Returns the problem of a view that is missing, or reads the table of neither side or of both. */
async function withoutSide(client: pg.ClientBase, route: ViewPlan): Promise<Problem> {
  const { view, batch, stream } = route;
  if (!(await readView(client, view))) return missingView(route);
  const reads = (await viewReads(client, view)).join(', ') || 'no table';
  return new Problem(
    'route-unexpected',
    `view ${view.text} must read either ${batch.text} or ${stream.text}, but it reads ${reads}`,
  );
}

function effects(route: ViewPlan, { secret }: RouteDeps): RouteEffects {
  return {
    ...NO_EFFECTS,

    async tryOut(client, plan) {
      const read = await columnsRead(client, route.view, route.batch);
      const open = await readSource(plan, secret, (source) =>
        uncomparedProblem(source, plan, read),
      );
      if (open) throw cannotSwitch(route, open.detail, open.remedy);
      const related = await relatedProblem(client, route.stream, [route.batch]);
      if (related) throw cannotSwitch(route, related.detail, related.remedy);
      await switchView(client, plan, route);
      await switchViewBack(client, plan, route);
    },

    async inCommit(client, plan) {
      await switchView(client, plan, route);
      return null;
    },

    observe: ({ plan }) =>
      withTarget(plan, secret, async (client) => {
        const side = await observedSide(client, route);
        if (!side) throw await withoutSide(client, route);
        await client.query(`SELECT * FROM ${route.view.sql} LIMIT 1`); // fails if the view is broken
        return side;
      }),

    inBack: (client, plan) => switchViewBack(client, plan, route),
  };
}
