// Route `none`: Sluice switches no consumers. The commit only changes the lease row, and a person
// moves the consumers.
import { PLAIN_FACTS, type Route } from './route.js';
import type { RouteSpec } from '../migration/spec.js';

export const noRoute: Route<Extract<RouteSpec, { readonly type: 'none' }>> = {
  plan: () => ({
    ...PLAIN_FACTS,
    asksOtherSystem: false,
    kind: 'none',
    words: {
      recheck: '',
      fence: '',
      commit: '',
      route: 'nothing: Sluice does not switch what consumers read',
      confirm: 'the lease row is read back',
      unexpected: 'find out who changed the lease row',
      back: 'returns the lease row to the batch; you then switch what consumers read',
      completed: "The batch's output is unchanged since its last run.",
    },
  }),
  contradictions: () => [],
};
