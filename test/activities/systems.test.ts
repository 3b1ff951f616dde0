// A failure of one migration replaces only the Kafka connection of that migration's cluster, and
// many failures do not open many connections.
import { describe, expect, it } from 'vitest';
import { Systems } from '../../src/activities/runtime/deps.js';
import { classifying } from '../../src/activities/runtime/interceptor.js';
import { answeredError, connectionTrouble } from '../../src/clients/kafka/connection-trouble.js';
import { refusalOf } from '../../src/clients/kafka/topics.js';
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

/** Returns how often an activity that fails with this error renews its connection to Kafka. */
async function renewalsAfter(error: Error): Promise<number> {
  const renewed: unknown[] = [];
  const { execute } = classifying({ renew: (spec) => void renewed.push(spec) });
  const input = { args: [aRef()], headers: {} };
  await expect(execute!(input, () => Promise.reject(error))).rejects.toThrow();
  return renewed.length;
}

/** Returns errors of several kinds with which Kafka refuses a login or a call. */
function refusalsOfKafka(): Error[] {
  const sasl = { mechanism: 'plain', username: 'sluice', passwordFrom: { env: 'P' } } as const;
  const login = Object.assign(new Error('Authentication failed'), {
    name: 'KafkaJSSASLAuthenticationError',
  });
  const explained = connectionTrouble(login, { ...on('kafka:9092').spec.kafka, sasl });
  const topic = { topic: 't' };
  const type = 'TOPIC_AUTHORIZATION_FAILED';
  return [
    login,
    explained!,
    answeredError('Fetch', 'Read', 't', 0, 29),
    refusalOf(topic, { type })!,
  ];
}

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
    ['permission-denied', 0],
    ['lock-timeout', 0],
  ] as const)(
    'after a failure of any system with the code %s, are replaced %d times',
    async (code: FailureCode, times) =>
      expect(await renewalsAfter(new Problem(code, 'no'))).toBe(times),
  );
  it.each(refusalsOfKafka())('are replaced after Kafka itself denies access: %s', async (error) =>
    expect(await renewalsAfter(error)).toBe(1),
  );
  it('are not replaced if Postgres denies access', async () => {
    const refusal = Object.assign(new Error('permission denied for table accounts'), {
      code: '42501',
      severity: 'ERROR',
    });
    expect(await renewalsAfter(refusal)).toBe(0);
  });
});
