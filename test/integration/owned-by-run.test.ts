// Tests what the ledger knows about the objects of one run. After a reset in Temporal, a run may
// have lost this knowledge, so it reads the ledger.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { ownedByRun } from '../../src/clients/ledger/owned-by-run.js';
import type { ObjectKind, OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { aRef } from '../support/builders.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const ref = aRef();
const object = (kind: ObjectKind): OwnedObject => ({ kind, name: `the ${kind}`, where: 'bank' });
const [lease, slot, topic] = [object('lease'), object('slot'), object('topic')];

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  ledger = new Ledger(urlOf(database.name));
  await ledger.migrate();
});
beforeEach(() => ledger.query('TRUNCATE sluice.object, sluice.event'));
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

describe('the ledger', () => {
  it('lists what the run owns and what it has handed over, without the objects of other runs', async () => {
    await ledger.setObjectState(ref, lease, 'created');
    await ledger.setObjectState(ref, slot, 'registered');
    await ledger.setObjectState(ref, topic, 'handed-over');
    await ledger.setObjectState(ref, object('group'), 'removed');
    await ledger.setObjectState({ ...ref, iteration: 2 }, object('job'), 'created');
    expect(await ownedByRun(ledger, ref)).toEqual({
      objects: [lease, slot],
      handedOver: [{ kind: 'topic', name: 'the topic' }],
      hasCompleted: true,
    });
  });
  it.each([
    ['migrated', true],
    ['rolled-back', false],
  ] as const)('says whether a run that owns nothing had completed: %s', async (outcome, is) => {
    const event = { id: 'r/1', at: new Date().toISOString(), kind: 'outcome', outcome } as const;
    await ledger.recordEvents(ref, [event]);
    expect((await ownedByRun(ledger, ref)).hasCompleted).toBe(is);
  });
});
