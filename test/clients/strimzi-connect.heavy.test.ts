// Tests how Sluice controls connectors through Strimzi's resources, against a fake API server and a
// fake operator. No real cluster was available.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StrimziConnect } from '../../src/clients/kubernetes/strimzi-connect.js';
import { driftOf, untilRunning } from '../../src/activities/capture/connectors/connector-state.js';
import { CONNECTOR_SPEC, FORBIDDEN_OPTIONS, violations } from '../support/connector-crd.js';
import { foreignConnector, type FakeStrimzi } from '../support/fake-strimzi.js';
import { CONFIG, startStrimzi } from '../support/strimzi-connect.js';

let fake: FakeStrimzi;
let connect: StrimziConnect;
let running: () => Promise<void>;
beforeEach(async () => void ({ fake, connect, running } = await startStrimzi()));
afterEach(() => fake.stop());

const resource = () => fake.kubernetes.get('kafkaconnectors', 'bank');

describe('a new connector', () => {
  it('is a resource that the CRD accepts, and it does not start', async () => {
    await connect.createStopped('bank', CONFIG);
    const { metadata, spec } = resource()!;
    expect(violations(CONNECTOR_SPEC, spec)).toEqual({ unknown: [], invalid: [] });
    expect(Object.keys(spec!['config'] as object)).not.toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^(${FORBIDDEN_OPTIONS.join('|')})$`)),
      ]),
    );
    expect(spec).toMatchObject({ class: CONFIG['connector.class'], tasksMax: 1, state: 'stopped' });
    expect(metadata.labels).toMatchObject({ 'strimzi.io/cluster': 'my-connect' });
    expect(metadata.annotations).toMatchObject({ 'sluice.dev/migration': 'bank' });
    expect(fake.done).toEqual(['create bank STOPPED']);
  });

  it('has the planned configuration when it is read back, with references instead of secrets', async () => {
    await connect.createStopped('bank', CONFIG);
    expect(driftOf(CONFIG, await connect.config('bank'))).toEqual([]);
    expect(resource()!.spec!['config'] as object).toMatchObject({
      'database.password': '${env:PGPASSWORD}',
    });
  });

  it('leaves no resource behind if Kafka Connect refuses the configuration', async () => {
    fake.refuses = () => 'slot.name is missing';
    await expect(connect.createStopped('bank', CONFIG)).rejects.toMatchObject({
      code: 'connector-failed',
      message: expect.stringContaining('slot.name is missing') as string,
    });
    expect(resource()).toBeUndefined();
  });

  it('keeps its resource, and is reported as unreachable, if the operator acts too late', async () => {
    fake.isAway = true;
    await expect(connect.createStopped('bank', CONFIG)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/operator has not carried out KafkaConnector bank/) as string,
    });
    expect(resource()).toBeDefined();
  });

  it('is unreachable while Kafka Connect does not answer the operator, and can start later', async () => {
    fake.trouble = 'connection timed out: my-connect-connect-api';
    await expect(connect.createStopped('bank', CONFIG)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('ConnectTimeoutException: connection timed out') as string,
    });
    fake.trouble = null;
    await connect.resume('bank');
    await untilRunning(connect, 'bank');
  });

  it('is refused if a resource of that name exists', async () => {
    const found = foreignConnector(fake, 'bank');
    await expect(connect.createStopped('bank', CONFIG)).rejects.toMatchObject({
      code: 'object-not-ours',
    });
    expect(resource()).toMatchObject({ spec: found.spec });
  });
});

describe('a resource of an unexpected owner or cluster', () => {
  it.each([
    ['names no migration', {}, /has no annotation sluice.dev\/migration/],
    ['names another migration', { 'sluice.dev/migration': 'shop' }, /migration shop/],
  ])('is never changed if it %s', async (_what, annotations, message) => {
    foreignConnector(fake, 'bank', annotations);
    const before = JSON.stringify({
      ...resource(),
      status: null,
      metadata: resource()!.metadata.annotations,
    });
    const refused = { code: 'object-not-ours', message: expect.stringMatching(message) as string };
    for (const change of [
      () => connect.pause('bank'),
      () => connect.stop('bank'),
      () => connect.putConfig('bank', CONFIG),
      () => connect.offsets('bank'),
      () => connect.deleteOffsets('bank'),
      () => connect.delete('bank'),
    ])
      await expect(change()).rejects.toMatchObject(refused);
    await connect.status('bank'); // a status is read, but the operator is not asked for a new one
    expect(
      JSON.stringify({ ...resource(), status: null, metadata: resource()!.metadata.annotations }),
    ).toBe(before);
    expect(fake.kubernetes.requests.filter((request) => !request.startsWith('get'))).toEqual([]);
  });

  it('differs from the plan if it belongs to another Kafka Connect cluster', async () => {
    await connect.createStopped('bank', CONFIG);
    const { metadata, spec } = resource()!;
    fake.kubernetes.put('kafkaconnectors', 'bank', {
      metadata: { ...metadata, labels: { 'strimzi.io/cluster': 'other' } },
      spec: spec!,
    });
    expect(driftOf(CONFIG, await connect.config('bank'))).toEqual(['strimzi.io/cluster']);
  });
});

describe('the state of a connector', () => {
  it('is pending until the operator has carried out the latest change of the resource', async () => {
    await running();
    fake.isAway = true;
    await connect.pause('bank');
    expect(await connect.status('bank')).toEqual({
      connector: { state: 'PENDING' },
      tasks: [],
      awaited: 'PAUSED',
    });
  });

  it('becomes PAUSED, even if the operator first asked Kafka Connect too early', async () => {
    await running();
    fake.lagMs = 300;
    await connect.pause('bank');
    await expect
      .poll(async () => (await connect.status('bank'))?.tasks[0]?.state, { timeout: 5000 })
      .toBe('PAUSED');
    expect(await connect.status('bank')).toMatchObject({ connector: { state: 'PAUSED' } });
  });

  it('is unknown while reconciliation of the resource is paused, and the error names the remedy', async () => {
    await running();
    const { metadata, spec, status } = resource()!;
    const annotations = { ...metadata.annotations, 'strimzi.io/pause-reconciliation': 'true' };
    fake.kubernetes.put('kafkaconnectors', 'bank', {
      metadata: { ...metadata, annotations },
      spec: spec!,
      status: status!,
    });
    await expect(connect.status('bank')).rejects.toMatchObject({
      code: 'unreachable',
      remedy: expect.stringContaining('remove the annotation') as string,
    });
  });

  it('is changed even if the operator writes the resource at the same time', async () => {
    await running();
    fake.kubernetes.conflicts = 3;
    await connect.pause('bank');
    expect(resource()!.spec).toMatchObject({ state: 'paused' });
    expect(fake.kubernetes.conflicts).toBe(0);
  });

  it('leads to exactly one restart by the operator if a task has FAILED and Sluice asks for it', async () => {
    await running();
    fake.fail('bank', 'Caused by: boom');
    // any event makes the operator check the connector
    fake.kubernetes.put('kafkaconnectors', 'bank', resource()!);
    await expect
      .poll(async () => (await connect.status('bank'))?.tasks[0])
      .toMatchObject({
        state: 'FAILED',
        trace: 'Caused by: boom',
      });
    await connect.restartFailed('bank');
    await untilRunning(connect, 'bank');
    expect(fake.done.filter((one) => one.startsWith('restart'))).toEqual([
      'restart task 0 of bank',
    ]);
  });
});
