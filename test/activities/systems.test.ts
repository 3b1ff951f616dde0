// A failure of one migration replaces only the Kafka connection of that migration's cluster.
import { describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { aSpec } from '../support/builders.js';

const on = (broker: string) => aSpec({ spec: { kafka: { brokers: [broker] } } });

describe('Kafka connections', () => {
  it('are replaced only for the cluster that failed', async () => {
    const systems = new Systems(() => '');
    const [failed, other] = [on('127.0.0.1:1'), on('127.0.0.1:2')];
    const before = [systems.kafka(failed), systems.kafka(other)];
    systems.renew(failed);
    expect(systems.kafka(failed)).not.toBe(before[0]);
    expect(systems.kafka(other)).toBe(before[1]);
    await systems.close();
  });
  it('never open again after they were replaced and closed', async () => {
    const port = new Systems(() => '').kafka(on('127.0.0.1:1'));
    await port.disconnect();
    await expect(port.listTopics()).rejects.toThrow('was closed, because a new one replaced it');
    await expect(port.offsets('t')).rejects.toThrow('was closed');
  });
});
