// Tests steps of a migration whose connectors Strimzi controls: the pause in a window, the removal
// of a connector, and the preflight. The API server of Kubernetes and Strimzi's operator are fakes.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConnect } from '../../src/activities/checks/kafka-and-connect-checks.js';
import { whilePaused } from '../../src/activities/capture/connectors/connector-pause.js';
import { untilRunning } from '../../src/activities/capture/connectors/connector-state.js';
import { connector as kind } from '../../src/activities/objects/connector.js';
import type { Site } from '../../src/activities/objects/owned-kind.js';
import { Systems, type Deps } from '../../src/activities/runtime/deps.js';
import { sourceConnectors } from '../../src/domain/objects/connector.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';
import { FakeStrimzi, foreignConnector } from '../support/fake-strimzi.js';

const systems = new Systems(() => 'token');
const nothing = { query: () => Promise.resolve([{ id: '1' }]) };

let fake: FakeStrimzi;
let planned: { ref: ReturnType<typeof aRef>; plan: ReturnType<typeof resolve> };
beforeEach(async () => {
  fake = new FakeStrimzi();
  const apiServer = await fake.start();
  const strimzi = { namespace: 'kafka', cluster: 'my-connect', apiServer, tokenFrom: { env: 'T' } };
  const connector = { type: 'debezium-postgres', control: 'strimzi', strimzi };
  const ref = aRef({ spec: { connector } });
  planned = { ref, plan: resolve(ref) };
});
afterEach(() => fake.stop());

const site = (): Site =>
  ({ secret: () => '', systems, ledger: nothing, ...planned }) as unknown as Site;
const inActivity = <T>(run: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment().run<[], T, () => Promise<T>>(run);
const theConnector = () => sourceConnectors(planned.plan)[0]!;
const resource = () => fake.kubernetes.get('kafkaconnectors', 'bank');

async function runs(): Promise<void> {
  await kind.create!(site(), theConnector());
  const connect = systems.connect(planned.plan);
  await connect.resume('bank');
  await untilRunning(connect, 'bank');
}

describe('a window', () => {
  const paused = <T>(use: () => Promise<T>, atMostMs = 8000) =>
    inActivity(() =>
      whilePaused({ ledger: nothing, systems } as unknown as Deps, planned, atMostMs, use),
    );

  it('compares while every task is PAUSED, and the connector runs again afterwards', async () => {
    await runs();
    const stood = await paused(() => Promise.resolve(structuredClone(fake.connect.get('bank')!)));
    expect(stood).toMatchObject({
      ok: true,
      value: { value: { state: 'PAUSED', tasks: [{ state: 'PAUSED' }] } },
    });
    expect(resource()!.spec).toMatchObject({ state: 'running' });
    expect(fake.connect.get('bank')!.state).toBe('RUNNING');
  });

  it('does not compare if the operator does not carry out the pause', async () => {
    await runs();
    fake.isAway = true;
    setTimeout(() => (fake.isAway = false), 700);
    expect(await paused(() => Promise.reject(new Error('compared')), 400)).toEqual({
      ok: false,
      reason: 'connector bank did not pause in time: Connect reports PENDING',
    });
    await expect.poll(() => fake.connect.get('bank')!.state).toBe('RUNNING');
  });

  it('does not start a connector again if a person stopped it in its resource', async () => {
    await runs();
    const stops = (): Promise<void> => {
      const found = resource()!;
      fake.kubernetes.put('kafkaconnectors', 'bank', {
        ...found,
        spec: { ...found.spec, state: 'stopped' },
      });
      return Promise.resolve();
    };
    expect(await paused(stops)).toMatchObject({ ok: true });
    expect(resource()!.spec).toMatchObject({ state: 'stopped' });
  });
});

describe('the removal of a connector', () => {
  it('removes the resource and the offsets, and the operator then removes the connector', async () => {
    await runs();
    await kind.remove(site(), theConnector());
    expect(await kind.exists(site(), theConnector())).toBe(false);
    expect(fake.done.slice(-2)).toEqual(['STOPPED bank', 'reset bank']);
    await expect.poll(() => fake.connect.size).toBe(0);
  });

  it('also removes the resource of a connector that Kafka Connect refused to create', async () => {
    await runs();
    fake.connect.delete('bank'); // as if the worker had died before the operator created it
    fake.refuses = () => 'slot.name is missing';
    await kind.remove(site(), theConnector());
    expect(resource()).toBeUndefined();
  });
});

describe('the preflight', () => {
  const checks = async () => {
    const found = await checkConnect({ plan: planned.plan, systems, secret: () => '' }, () =>
      Promise.resolve(false),
    );
    return Object.fromEntries(found.map(({ name, status, detail }) => [name, { status, detail }]));
  };

  it('reports what the Kubernetes API shows; the configuration of the connector is unknown', async () => {
    expect(await checks()).toMatchObject({
      'connect.reachable': { status: 'passed' },
      'connect.access': { status: 'passed' },
      'connect.operator': { status: 'passed' },
      'connect.secrets': { status: 'passed' },
      'connect.resource': { status: 'passed' },
      'connect.plugin': { status: 'passed' },
      'connect.config': { status: 'unknown' },
      'connect.name-free': { status: 'passed' },
      'connect.auth': { status: 'failed' },
    });
    expect(fake.kubernetes.objects.has('kafkaconnectors/kafka/bank')).toBe(false);
  });

  it('names each missing right', async () => {
    fake.kubernetes.denied.add('patch kafkaconnectors').add('get configmaps');
    expect((await checks())['connect.access']).toEqual({
      status: 'failed',
      detail:
        'the login lacks these rights in namespace kafka: patch kafkaconnectors, get configmaps sluice-bank-offsets',
    });
  });

  it('fails for an old operator, which cannot create a connector that is stopped from the start', async () => {
    fake.kubernetes.fields = [];
    expect((await checks())['connect.operator']).toMatchObject({ status: 'failed' });
  });

  it('names the config provider of the secrets if Kafka Connect does not have it', async () => {
    fake.putCluster({ spec: { config: {} }, status: { observedGeneration: 2 } });
    expect((await checks())['connect.secrets']).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('has no provider env') as string,
    });
  });

  it('fails if a resource that Sluice did not create already has the planned name', async () => {
    foreignConnector(fake, 'bank');
    expect((await checks())['connect.name-free']).toMatchObject({ status: 'failed' });
  });

  it('fails if the Kafka Connect cluster does not use connector resources', async () => {
    fake.putCluster({ annotations: {} });
    expect((await checks())['connect.reachable']).toMatchObject({
      status: 'failed',
      detail: 'KafkaConnect kafka/my-connect does not use connector resources',
    });
  });
});
