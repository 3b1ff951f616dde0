// Route `postgres-view`: consumers read a view. The commit replaces the relation that the view
// reads.
import { contradictionList } from '../migration/contradiction.js';
import { PLAIN_FACTS, type Route } from './route.js';
import { relation } from '../migration/names.js';
import type { RouteSpec } from '../migration/spec.js';

export const viewRoute: Route<Extract<RouteSpec, { readonly type: 'postgres-view' }>> = {
  plan(route) {
    const view = relation(route.view);
    return {
      ...PLAIN_FACTS,
      asksOtherSystem: false,
      kind: 'view',
      view,
      batch: relation(route.batch),
      stream: relation(route.stream),
      words: {
        recheck: '; the view can be switched and restored for all of its readers',
        fence: '',
        commit: 'switch of the view, then ',
        route: 'consumers read the stream side (done by the commit)',
        confirm: 'a look at the view confirms which side consumers read',
        unexpected: 'find out what replaced the view',
        back: 'switches the view back in one transaction',
        completed: "The batch's table is unchanged since its last run.",
      },
      consumers: [
        `-- Consumers keep their privileges on ${route.view}. After the cut-over, the owner of the view must be able to read ${route.stream}. If Sluice creates that table, it grants this privilege.`,
        '-- If you create a table of that name yourself, GRANT SELECT ON it TO the owner of the view.',
      ],
      needs: {
        owned: { relation: view, uses: 'only its owner may switch the view' },
        creates: {
          schema: view.schema,
          why: 'replacing a view requires it',
          without: 'doctor: route.view; in cut-over: permission denied for schema',
        },
        actsAs: null,
        reads: [view],
      },
      consumersView: view,
      isTried: true,
    };
  },

  contradictions(route, { batch, sink }) {
    const { found, add } = contradictionList();
    if (!batch || !sink) add('a route by view needs spec.batch and spec.sink', 'cutover', 'route');
    else {
      if (route.stream !== sink.table)
        add(`must be the sink's table, ${sink.table}`, 'cutover', 'route', 'stream');
      if (route.batch !== batch.result.table)
        add(`must be the batch's result table, ${batch.result.table}`, 'cutover', 'route', 'batch');
    }
    return found;
  },
};
