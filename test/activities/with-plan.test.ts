// Tests `withPlan`. The payload of an activity contains the ref but not the plan. `withPlan` gives
// both to the implementation of the activity.
import { describe, expect, it } from 'vitest';
import { withPlan, type Planned } from '../../src/activities/runtime/with-plan.js';
import { aRef } from '../support/builders.js';

const activities = withPlan({
  ofRef: ({ ref, plan }: Planned, more: string) =>
    Promise.resolve(`${ref.runKey} ${plan.names.slot} ${more}`),
  ofInput: ({ ref, plan, token }: Planned & { readonly token: string }) =>
    Promise.resolve(`${ref.runKey} ${plan.names.slot} ${token}`),
});

describe('withPlan', () => {
  it('gives the plan of the ref’s generation to an activity that is called with a ref', async () => {
    expect(await activities.ofRef({ ...aRef(), generation: 2 }, 'more')).toBe(
      'run sluice_bank_g2 more',
    );
  });

  it('gives the plan to an activity whose input contains the ref', async () => {
    expect(await activities.ofInput({ ref: aRef(), token: 'T' })).toBe('run sluice_bank T');
  });

  it('returns a rejected promise, and does not throw at once, if a spec cannot be resolved', async () => {
    const { spec, ...rest } = aRef();
    const broken = {
      ...spec,
      spec: { ...spec.spec, source: { ...spec.spec.source, tables: ['no dot'] } },
    };
    await expect(activities.ofRef({ ...rest, spec: broken }, '')).rejects.toThrow(
      'is not schema.name',
    );
  });
});
