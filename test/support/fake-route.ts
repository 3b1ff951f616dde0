// Defines a route that no spec can name. It shows the smallest route that compiles.
import {
  NO_EFFECTS,
  type RouteAdapter,
} from '../../src/activities/cutover/routes/route-adapter.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import {
  PLAIN_FACTS,
  type Route,
  type RouteFacts,
  type RoutePlan,
} from '../../src/domain/routes/route.js';

/**
 * `PLAIN_FACTS` has defaults for most facts. If a fact without a default is missing here, the
 * compiler names it. The cast in `PAGER` is needed only because the type of a plan does not have
 * this route's kind.
 */
const FACTS: RouteFacts = {
  ...PLAIN_FACTS,
  words: {
    recheck: '; the pager answers',
    fence: '',
    commit: '',
    route: 'the pager gets a message',
    confirm: 'the pager is asked',
    unexpected: 'look at the pager',
    back: 'sends the pager another message',
    completed: 'The pager has the last message.',
  },
  notes: ['a pager forgets'],
  asksOtherSystem: true,
};

export const PAGER: Route = {
  plan: () => ({ ...FACTS, kind: 'pager' }) as unknown as RoutePlan,
  contradictions: () => [],
};

/**
 * The route's adapter, which does the work; `PAGER` only describes the route. `told` collects the
 * messages that the pager gets.
 */
export const pagerAdapter = (told: string[]): RouteAdapter => ({
  checks: () => Promise.resolve([]),
  effects: () => ({
    ...NO_EFFECTS,
    afterCommit: ({ ref }) => Promise.resolve(void told.push(`${ref.name} is on the stream`)),
    observe: () => Promise.resolve(told.length > 0 ? 'stream' : 'batch'),
  }),
});

export const withPager = (spec: MigrationSpec): MigrationSpec =>
  ({
    ...spec,
    spec: { ...spec.spec, cutover: { ...spec.spec.cutover, route: { type: 'pager' } } },
  }) as unknown as MigrationSpec;
