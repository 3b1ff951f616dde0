// Route `http`: an external system serves consumers. After the commit, Sluice asks that system to
// serve the stream, and then asks which side it serves.
import { contradictionList } from '../migration/contradiction.js';
import { PLAIN_FACTS, type Route } from './route.js';
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
      confirm: 'GET asks the route which side it serves',
      unexpected: 'find out why the route does not serve the side that it was asked to serve',
      back: 'asks the route to serve the batch again, after the rollback of the lease row',
      completed: "The batch's table is unchanged since the batch's last run.",
    },
    notes: [
      'route by HTTP: the switch is not in one transaction with the commit; between the two, consumers still read the batch',
    ],
    asksOtherSystem: true,
  }),

  contradictions(_route, { batch }) {
    const { found, add } = contradictionList();
    if (!batch)
      add(
        'use route type none, because without a batch there is nothing to route',
        'cutover',
        'route',
      );
    return found;
  },
};
