// A failure of one migration replaces only the Kafka connection of that migration's cluster, and
// many failures do not open many connections.
import { describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { classifying } from '../../src/activities/runtime/interceptor.js';
import { Problem, type FailureCode } from '../../src/domain/failure.js';
import { aRef, aSpec } from '../support/builders.js';

const on = (broker: string) => aSpec({ spec: { kafka: { brokers: [broker] } } });

let now = 0;
const systemsOf = (): Systems =>
  new Systems(
    () => '',
    () => now,
  );
const waitTenSeconds = (): void => void (now += 10_000);

describe('Kafka connections', () => {
  it('are replaced only for the cluster that failed', async () => {
    const systems = systemsOf();
    const [failed, other] = [on('127.0.0.1:1'), on('127.0.0.1:2')];
    const before = [systems.kafka(failed), systems.kafka(other)];
    waitTenSeconds();
    systems.renew(failed);
    expect(systems.kafka(failed)).not.toBe(before[0]);
    expect(systems.kafka(other)).toBe(before[1]);
    await systems.close();
  });
  it('are replaced once in ten seconds at most, no matter how many activities fail', async () => {
    const systems = systemsOf();
    const cluster = on('127.0.0.1:1');
    const opened = new Set([systems.kafka(cluster)]);
    for (let failures = 0; failures < 300; failures += 1) {
      if (failures === 100) waitTenSeconds();
      systems.renew(cluster);
      opened.add(systems.kafka(cluster));
    }
    expect(opened.size).toBe(2);
    await systems.close();
  });
  it('never open again after they were replaced and closed', async () => {
    const port = systemsOf().kafka(on('127.0.0.1:1'));
    await port.disconnect();
    await expect(port.listTopics()).rejects.toThrow('was closed, because a new one replaced it');
    await expect(port.offsets('t')).rejects.toThrow('was closed');
  });
  it.each([
    ['unreachable', 1],
    ['permission-denied', 1],
    ['lock-timeout', 0],
  ] as const)('after %s are replaced %d times', async (code: FailureCode, times) => {
    const renewed: unknown[] = [];
    const { execute } = classifying({ renew: (spec) => void renewed.push(spec) });
    const input = { args: [aRef()], headers: {} };
    await expect(execute!(input, () => Promise.reject(new Problem(code, 'no')))).rejects.toThrow();
    expect(renewed).toHaveLength(times);
  });
});
