// Route `http`: another system serves consumers. We tell it the side after the commit, and ask it
// which side it serves.
import { PLAIN_FACTS, contradictionList, type Route } from './route.js';
import type { RouteSpec } from '../migration/spec.js';

export const httpRoute: Route<Extract<RouteSpec, { readonly type: 'http' }>> = {
  plan: ({ url }) => ({
    ...PLAIN_FACTS,
    kind: 'http',
    url,
    words: {
      recheck: '',
      fence: '',
      commit: '',
      route: 'PUT {side: stream, epoch} to the route, after the commit',
      confirm: 'which side the route says it serves is observed by GET',
      unexpected: 'find out why the route serves another side than the one that it was asked for',
      back: 'asks the route to serve the batch again, after the rollback of the lease row',
      completed: "The batch's table is unchanged since its last run.",
    },
    notes: [
      'route by HTTP: the switch is not one transaction with the commit; between the two, consumers still read the batch',
    ],
    isOrdered: true,
  }),

  contradictions(_route, { batch }) {
    const { found, add } = contradictionList();
    if (!batch) add('without a batch nothing is routed: use route type none', 'cutover', 'route');
    return found;
  },
};
