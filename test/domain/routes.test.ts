// Tests the properties of routes. For its plan, a new type of route needs only one registration.
import { describe, expect, it, onTestFinished } from 'vitest';
import { resolve } from '../../src/domain/plan/resolve.js';
import { sessionOptions, tableOwner } from '../../src/domain/routes/table-owner.js';
import { ROUTES } from '../../src/domain/routes/index.js';
import { BATCH_PARTS, SHARED_PARTS, aPlan, aSpec } from '../support/builders.js';
import { PAGER, withPager } from '../support/fake-route.js';

describe('a route', () => {
  it('to a shared table moves the sink and refuses the batch; a route by view is tried before the fence', () => {
    const { route: view } = aPlan({ spec: BATCH_PARTS });
    const { route: table } = aPlan({ spec: SHARED_PARTS });
    expect([view.isTried, view.movesSink, view.refusesBatch]).toEqual([true, false, false]);
    expect([table.isTried, table.movesSink, table.refusesBatch]).toEqual([false, true, true]);
  });

  it("gives the sink's sessions the role that writes, even if its name has spaces and backslashes", () => {
    expect(sessionOptions(tableOwner('Stream \\ writer', 2, 3))).toBe(
      '-c role=Stream\\ \\\\\\ writer -c sluice.owner=2.3',
    );
  });

  it('of a new type works after one registration, which gives its plan, steps and notes', () => {
    onTestFinished(ROUTES.register('pager', PAGER));
    const spec = aSpec({ spec: { ...BATCH_PARTS, cutover: { route: { type: 'none' } } } });
    const { route, steps, notes } = resolve({ spec: withPager(spec), generation: 1 });
    expect(route).toMatchObject({ kind: 'pager', asksOtherSystem: true, movesSink: false });
    expect(steps.find(({ name }) => name === 'route')?.does).toBe('the pager gets a message');
    expect(steps[0]!.does).toContain('the pager answers');
    expect(notes).toContain('a pager forgets');
  });

  it('is refused, and the error contains its name, if it is not registered', () => {
    expect(() => ROUTES.of('carrier-pigeon')).toThrow('no route is named carrier-pigeon');
  });
});
