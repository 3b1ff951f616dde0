// Tests that a new type of route (what consumers read) needs only one registration in src/domain
// and one in src/activities. The activities of the cut-over must then find the route.
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCutoverActivities } from '../../src/activities/cutover/cutover-activities.js';
import { ROUTE_ADAPTERS } from '../../src/activities/cutover/routes/index.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { ROUTES } from '../../src/domain/routes/index.js';
import { aRef } from '../support/builders.js';
import { PAGER, pagerAdapter, withPager } from '../support/fake-route.js';

describe('the activities of the cut-over', () => {
  it('call a route of a newly registered type', async () => {
    const told: string[] = [];
    onTestFinished(ROUTES.register('pager', PAGER));
    onTestFinished(ROUTE_ADAPTERS.register('pager', pagerAdapter(told)));
    const ref = aRef();
    const paged = { ...ref, spec: withPager(ref.spec) };
    const activities = createCutoverActivities({} as Deps);
    expect(await activities.observeRoute(paged)).toMatchObject({ side: 'batch' });
    await activities.orderRoute(paged);
    expect(told).toEqual(['bank is on the stream']);
    expect(await activities.observeRoute(paged)).toMatchObject({ side: 'stream' });
  });
});
