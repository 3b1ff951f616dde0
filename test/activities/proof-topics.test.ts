// Tests which topics a proof deletes. Other proofs, of this ledger or of a different one, may have
// topics with similar names.
import { describe, expect, it } from 'vitest';
import { createProofActivities } from '../../src/activities/prove/prove-activities.js';
import { topicsOfProof } from '../../src/activities/prove/proof-topics.js';
import type { ProofPlan } from '../../src/activities/prove/slice-plan.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';

const ID = 'proof-sales-2';

/** A cluster with these topics. The ledger lists the topics `claimed` and the proofs `others`. */
function world(topics: string[], claimed: readonly string[], others: readonly string[] = []) {
  const objects = claimed.map((name): OwnedObject => ({ kind: 'topic', name, where: 'k:1' }));
  const states: string[] = [];
  const ledger = {
    query: () => Promise.resolve(others.map((id) => ({ id }))),
    openObjects: () => Promise.resolve(objects),
    objectState: () => Promise.resolve(null),
    setObjectState: (_ref: unknown, { name }: OwnedObject, state: string) =>
      Promise.resolve(void states.push(`${name} ${state}`)),
  };
  const kafka = {
    listTopics: () => Promise.resolve([...topics]),
    deleteTopic: (topic: string) => Promise.resolve(void topics.splice(topics.indexOf(topic), 1)),
    describeGroup: () => Promise.resolve({ members: [] }),
    groupOffsets: () => Promise.resolve(new Map()),
  };
  const deps = { ledger, systems: { kafka: () => kafka } } as unknown as Deps;
  const ref = { ...aRef({ spec: BATCH_PARTS }), name: ID };
  return { topics, states, ledger, kafka, ref, activities: createProofActivities(deps) };
}

describe('the topics of a proof', () => {
  it.each([
    [`${ID}.public.orders`, true],
    [`${ID}-totals-changelog`, true],
    ['proof-sales-2-eu-1.public.orders', false],
    ['proof-sales-2-eu-1-totals-changelog', false],
    ['proof-sales-21.public.orders', false],
    ['sales.public.orders', false],
  ])('include %s: %s', async (topic, isOne) => {
    const { ledger, kafka } = world([topic], [], ['proof-sales-2-eu-1']);
    expect(await topicsOfProof(ledger as never, kafka, ID)).toEqual(isOne ? [topic] : []);
  });
});

describe('a proof', () => {
  it('is refused, and deletes nothing, if a proof with its id in a different ledger made the topics', async () => {
    const { activities, topics, ref } = world([`${ID}.public.orders`], []);
    await expect(activities.replaySlice({ ref } as unknown as ProofPlan)).rejects.toMatchObject({
      code: 'object-not-ours',
      message: `this proof did not create these topics: ${ID}.public.orders`,
    });
    expect(await activities.removeProof(ref)).toEqual([]);
    expect(topics).toEqual([`${ID}.public.orders`]);
  });
  it('deletes its own topics at its end, and the ledger no longer lists them', async () => {
    const own = `${ID}.public.orders`;
    const { activities, topics, ref, states } = world([own, 'sales.public.orders'], [own]);
    expect(await activities.removeProof(ref)).toEqual([]);
    expect(topics).toEqual(['sales.public.orders']);
    expect(states).toEqual([`${own} removed`]);
  });
});
