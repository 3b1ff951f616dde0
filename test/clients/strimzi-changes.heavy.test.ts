// Tests how Sluice reconfigures and removes connectors through Strimzi's resources, against a fake
// API server and a fake operator. No real cluster was available.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StrimziConnect } from '../../src/clients/kubernetes/strimzi-connect.js';
import {
  driftOf,
  stopSurely,
  untilRunning,
} from '../../src/activities/capture/connectors/connector-state.js';
import type { FakeStrimzi } from '../support/fake-strimzi.js';
import { CONFIG, startStrimzi } from '../support/strimzi-connect.js';

let fake: FakeStrimzi;
let connect: StrimziConnect;
let running: () => Promise<void>;
beforeEach(async () => void ({ fake, connect, running } = await startStrimzi()));
afterEach(() => fake.stop());

const STUCK_FENCING =
  'The start() method must be invoked before adding callbacks for this zombie fencing';
const resource = () => fake.kubernetes.get('kafkaconnectors', 'bank');

describe('a changed configuration', () => {
  it('replaces the old one, so that a key that is no longer planned is gone', async () => {
    await running();
    const changed: Record<string, string> = { ...CONFIG, 'max.batch.size': '7' };
    delete changed['plugin.name'];
    await connect.putConfig('bank', changed);
    expect(driftOf(changed, await connect.config('bank'))).toEqual([]);
    expect(fake.connect.get('bank')!.config).not.toHaveProperty('plugin.name');
  });

  it('is replaced by the old one if Kafka Connect refuses it', async () => {
    await running();
    fake.refuses = (config) => (config['max.batch.size'] ? 'too large' : null);
    await expect(
      connect.putConfig('bank', { ...CONFIG, 'max.batch.size': '7' }),
    ).rejects.toMatchObject({ code: 'connector-failed' });
    expect(driftOf(CONFIG, await connect.config('bank'))).toEqual([]);
    await untilRunning(connect, 'bank');
  });
});

describe('the removal of a connector', () => {
  it('stops it, resets its offsets, and deletes its resource', async () => {
    await running();
    expect(await stopSurely(connect, 'bank')).toBe(true);
    expect(await connect.offsets('bank')).toEqual([{ lsn: 42 }]);
    await connect.deleteOffsets('bank');
    expect(await connect.offsets('bank')).toEqual([]);
    expect(await connect.delete('bank')).toBe(true);
    expect(resource()).toBeUndefined();
    expect(await connect.config('bank')).toBeNull();
    expect(await connect.status('bank')).toBeNull();
    expect(await connect.delete('bank')).toBe(false);
    await expect.poll(() => fake.connect.has('bank')).toBe(false);
  });

  it('is complete only when the finalizers of its resource are done', async () => {
    await running();
    const { metadata, spec } = resource()!;
    fake.kubernetes.put('kafkaconnectors', 'bank', {
      metadata: { ...metadata, finalizers: ['example.com/wait'] },
      spec: spec!,
    });
    await connect.delete('bank');
    expect(await connect.config('bank')).not.toBeNull();
    fake.kubernetes.finish('kafkaconnectors', 'bank');
    expect(await connect.config('bank')).toBeNull();
  });

  it('does not write offsets into a ConfigMap that a person made', async () => {
    await running();
    fake.kubernetes.put('configmaps', 'sluice-bank-offsets', { data: { mine: 'yes' } });
    await expect(connect.offsets('bank')).rejects.toMatchObject({ code: 'object-not-ours' });
    expect(fake.kubernetes.get('configmaps', 'sluice-bank-offsets')!.data).toEqual({ mine: 'yes' });
  });

  it('names why the operator does not reset the offsets', async () => {
    await running();
    await expect(connect.deleteOffsets('bank')).rejects.toMatchObject({
      message: expect.stringContaining('Connector is not in STOPPED state') as string,
    });
  });

  it("asks for a restart of Connect if Connect's stuck zombie fencing prevents the reset", async () => {
    await running();
    await stopSurely(connect, 'bank');
    fake.resetError = STUCK_FENCING;
    await expect(connect.deleteOffsets('bank')).rejects.toMatchObject({
      code: 'unreachable',
      remedy: expect.stringMatching(/Restart that worker, or all Connect workers/) as string,
    });
  });
});
