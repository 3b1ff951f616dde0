// Tests how Sluice finds out which names of a plan other objects already have.
import { expect, it } from 'vitest';
import { takenNames } from '../../src/activities/checks/names-free.js';
import { EFFECTS } from '../../src/activities/objects/kinds.js';
import type { Asking } from '../../src/activities/objects/owned-kind.js';
import { planned } from '../../src/activities/runtime/with-plan.js';
import { KINDS } from '../../src/domain/objects/kinds.js';
import type { ObjectKind } from '../../src/domain/evidence/ledger-rows.js';
import { aRef } from '../support/builders.js';

const { plan } = planned(aRef());
const asking = {
  plan,
  systems: {
    kafka: () => ({ listTopics: () => Promise.resolve([...plan.topics, 'of-others']) }),
    connect: () => ({ config: (name: string) => Promise.resolve(name === 'bank' ? {} : null) }),
  },
} as unknown as Asking;
const theirs = () => Promise.resolve(false);

it('only names of objects that exist and that the migration does not own count as taken', async () => {
  const taken = await takenNames(asking, theirs, 'kafka.topics-free');
  expect(taken.map(({ name }) => name)).toEqual(plan.topics);
  expect(await takenNames(asking, () => Promise.resolve(true), 'kafka.topics-free')).toEqual([]);
});

it('a check can ask whether one name is taken', async () => {
  const taken = (name: string) => takenNames(asking, theirs, 'connect.name-free', name);
  expect(await taken('bank')).toHaveLength(1);
  expect(await taken('another')).toEqual([]);
});

it('only sink tables, groups and triggers have no name check', () => {
  const unchecked = (Object.keys(KINDS) as ObjectKind[]).filter(
    (kind) => EFFECTS[kind].nameCheck === null,
  );
  expect(unchecked).toEqual(['sink-table', 'group', 'trigger']);
});
