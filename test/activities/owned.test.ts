// Tests which objects a migration owns and may remove, above all after a create that failed. An
// object that was certainly not created is never owned.
import { beforeEach, describe, expect, it } from 'vitest';
import { EFFECTS, claimObject, removeObject } from '../../src/activities/objects/kinds.js';
import {
  ensureOwned,
  endOf,
  refuseIfOver,
  removeOwned,
} from '../../src/activities/ownership/owned.js';
import type { Site } from '../../src/activities/objects/owned-kind.js';
import { planned } from '../../src/activities/runtime/with-plan.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { refusalOf } from '../../src/clients/kafka/topics.js';
import type { Ledger, ObjectState } from '../../src/clients/ledger/ledger.js';
import { Problem } from '../../src/domain/failure.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { KINDS } from '../../src/domain/objects/kinds.js';
import { aRef } from '../support/builders.js';

const ref = aRef();
const states = new Map<string, ObjectState>();
const keyOf = ({ kind, name }: OwnedObject): string => `${kind} ${name}`;
const ledger = {
  objectState: (_name: string, object: OwnedObject) =>
    Promise.resolve(states.get(keyOf(object)) ?? null),
  setObjectState: (_ref: unknown, object: OwnedObject, state: ObjectState) => {
    states.set(keyOf(object), state);
    return Promise.resolve();
  },
} as unknown as Ledger;

const postgres = (code: string): Error =>
  Object.assign(new Error('no'), { severity: 'ERROR', code });
const OBJECT: OwnedObject = { kind: 'publication', name: 'p', where: 'bank' };
let there = false;
const world = (fails: Error | null, makes = false) => ({
  exists: () => Promise.resolve(there),
  create: () => {
    if (makes || !fails) there = true;
    return fails ? Promise.reject(fails) : Promise.resolve();
  },
});
const ensure = (fails: Error | null, makes = false): Promise<unknown> =>
  ensureOwned(ledger, ref, OBJECT, world(fails, makes)).then(
    () => 'ours',
    (error: unknown) => (error as Problem).code,
  );
const byHand = (): void => void (there = true);

beforeEach(() => {
  states.clear();
  there = false;
});

describe('a create that certainly failed', () => {
  it.each(['42501', '42P07', '55P03', '23505', '57014'])(
    'releases the claim after SQLSTATE %s',
    async (code) => {
      await ensure(postgres(code));
      expect(states.get('publication p')).toBe('removed');
    },
  );
  it('does not make Sluice the owner of an object that a person creates afterwards', async () => {
    await ensure(postgres('42501'));
    byHand();
    expect(await ensure(null)).toBe('object-not-ours');
    await removeOwned(
      ledger,
      ref,
      OBJECT,
      () => Promise.resolve(there),
      () => Promise.reject(new Error('dropped')),
    );
    expect(there).toBe(true);
  });
  it('can be repeated, and an object that the repetition creates is owned', async () => {
    await ensure(postgres('42501'));
    expect(await ensure(null)).toBe('ours');
    expect(states.get('publication p')).toBe('created');
  });
});

describe('a create that another attempt has overtaken', () => {
  it.each(['42710', '42501'])('leaves the object owned after SQLSTATE %s', async (code) => {
    const hung = {
      exists: () => Promise.resolve(there),
      create: async () => {
        expect(await ensure(null)).toBe('ours');
        throw postgres(code);
      },
    };
    await expect(ensureOwned(ledger, ref, OBJECT, hung)).rejects.toThrow('no');
    expect(states.get('publication p')).toBe('created');
  });
});

describe('a create with an unknown result', () => {
  it.each([
    ['a lost connection', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
    ['a server that shuts down', postgres('57P01')],
    [
      'a broker that does not answer',
      Object.assign(new Error('timed out'), { name: 'KafkaJSRequestTimeoutError' }),
    ],
    ['a Connect worker that does not answer', new Problem('unreachable', 'does not answer')],
  ])('keeps the claim after %s, and the next attempt owns the object', async (_what, error) => {
    await ensure(error, true);
    expect(states.get('publication p')).toBe('registered');
    expect(await ensure(null)).toBe('ours');
  });
  it('keeps the claim even if a later attempt collides with the object of the earlier one', async () => {
    await ensure(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await ensure(postgres('42P07'), true);
    expect(await ensure(null)).toBe('ours');
  });
  it('releases the claim if a later attempt has no right to create the object', async () => {
    await ensure(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await ensure(postgres('42501'));
    byHand();
    expect(await ensure(null)).toBe('object-not-ours');
  });
});

describe("Kafka's refusal to create a topic", () => {
  const answer = (type: string): Error =>
    Object.assign(new Error('Topic creation errors'), {
      name: 'KafkaJSAggregateError',
      errors: [{ type, message: 'm' }],
    });
  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', 'no right'],
    ['POLICY_VIOLATION', 'nothing made'],
    ['INVALID_REPLICATION_FACTOR', 'nothing made'],
    ['REQUEST_TIMED_OUT', 'unknown'],
  ])('with the code %s means: %s', (type, end) => {
    const error = answer(type);
    expect(endOf(refusalOf({ topic: 't' }, error) ?? error)).toBe(end);
  });
  it('counts as a missing right, even if the right is on the whole cluster', () => {
    expect(refusalOf({ topic: 't' }, answer('CLUSTER_AUTHORIZATION_FAILED'))).toMatchObject({
      code: 'permission-denied',
    });
  });
});

describe('a consumer group', () => {
  const port = (offsets: number, state = 'absent'): KafkaPort =>
    ({
      groupOffsets: () =>
        Promise.resolve(new Map(offsets > 0 ? [['t', new Map([[0, offsets]])]] : [])),
      describeGroup: () => Promise.resolve({ type: state, state, members: [], topics: [] }),
      deleteGroup: () => Promise.reject(new Error('deleted')),
    }) as unknown as KafkaPort;
  const group: OwnedObject = { kind: 'group', name: 'connect-bank-sink', where: '127.0.0.1:9092' };
  const siteOf = (kafka: KafkaPort) =>
    ({ ...planned(ref), ledger, systems: { kafka: () => kafka } }) as unknown as Site;
  it('is neither claimed nor deleted if it existed before its claim', async () => {
    // the object may belong to another migration, so the remedy must not just say to remove it
    await expect(claimObject(siteOf(port(5)), group)).rejects.toMatchObject({
      code: 'object-not-ours',
      message: expect.stringContaining(
        'exists, and the ledger does not say that this migration created it',
      ) as string,
      remedy: expect.stringContaining('if no other migration (sluice list)') as string,
    });
    await removeObject(siteOf(port(5)), group);
  });
  it('can be claimed if it does not exist, and again after its reader has created it', async () => {
    await claimObject(siteOf(port(0)), group);
    await claimObject(siteOf(port(5)), group);
    expect(states.get('group connect-bank-sink')).toBe('registered');
  });
  it('counts as existing if it has members but no offsets, because offsets can expire', async () => {
    const site = siteOf(port(0, 'consumer'));
    expect(await EFFECTS.group.exists(site, group)).toBe(true);
    await claimObject(siteOf(port(0)), group);
    await expect(
      removeOwned(
        ledger,
        ref,
        group,
        () => EFFECTS.group.exists(site, group),
        () => Promise.reject(new Error('deleted')),
      ),
    ).rejects.toThrow('deleted');
  });
});

describe('each kind of object', () => {
  it('has an entry in EFFECTS if and only if it has one in KINDS', () =>
    expect(Object.keys(EFFECTS).sort()).toEqual(Object.keys(KINDS).sort()));
  it('has a health check, such as that of a lease, which reports a missing row', async () => {
    const site = { ...planned(ref), ledger: { query: () => Promise.resolve([]) } };
    const lease: OwnedObject = { kind: 'lease', name: 'sluice_bank', where: 'ledger' };
    expect(await EFFECTS.lease.healthy(site as unknown as Site, lease)).toBe('is gone');
  });
});

describe('an object that was handed over', () => {
  it('stays, even if a person resets its run at Temporal and the run is then rolled back', async () => {
    await ensure(null);
    states.set('publication p', 'handed-over');
    const drop = (): Promise<never> => Promise.reject(new Error('dropped'));
    await removeOwned(ledger, ref, OBJECT, () => Promise.resolve(there), drop);
    expect(states.get('publication p')).toBe('handed-over');
  });
});

describe('an object that the ledger has never listed', () => {
  const connector: OwnedObject = { kind: 'connector', name: 'bank', where: 'http://connect' };
  const answers = (config: () => Promise<unknown>): Site =>
    ({ ...planned(ref), ledger, systems: { connect: () => ({ config }) } }) as unknown as Site;
  it('stays and is reported if it exists, because the ledger may be a restored backup', async () => {
    const site = answers(() => Promise.resolve({}));
    expect(await removeObject(site, connector)).toBe(true);
    states.set('connector bank', 'removed');
    expect(await removeObject(site, connector)).toBe(false);
  });
  it('does not stop a rollback if its system does not answer', async () => {
    const site = answers(() => Promise.reject(new Problem('unreachable', 'no answer')));
    expect(await removeObject(site, connector)).toBe(false);
  });
});

describe('a run that was reset', () => {
  const [lease] = KINDS.lease.planned(planned(ref).plan);
  const knows = (generation: number) => ({
    objectState: ledger.objectState.bind(ledger),
    migrations: () => Promise.resolve([{ ...ref, generation }] as never),
  });

  it.each([
    ['refuses to continue if the ledger says that the run has removed its lease row', 'removed', 0],
    [
      'refuses to continue if the ledger says that the run has begun a later generation',
      'created',
      1,
    ],
  ] as const)('%s', async (_what, state, later) => {
    states.set(keyOf(lease!), state);
    const asked = refuseIfOver(knows(ref.generation + later), planned(ref), later > 0);
    await expect(asked).rejects.toMatchObject({ code: 'already-ended' });
  });

  it('continues if a restore of the target has lost its lease row', async () => {
    states.set(keyOf(lease!), 'created');
    await refuseIfOver(knows(ref.generation), planned(ref), false);
  });
});
