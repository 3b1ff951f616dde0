// Tests topics whose records the broker itself compresses, with Java's implementations of the
// codecs. Sluice must read the records as they were written.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';

let port: KafkaPort;
beforeAll(() => {
  port = new KafkaPort(
    { brokers: [process.env['KAFKA_BROKERS']!], replication: 1, partitions: 1, tls: false },
    () => '',
  );
});
afterAll(() => port.disconnect());

// The values have long repetitions, overlapping matches and text that does not compress. Together,
// they fill more than one block in every format.
const values = Array.from({ length: 400 }, (_, at) => {
  const noise = Array.from({ length: 200 }, (__, i) =>
    String.fromCodePoint(33 + ((at * 7919 + i * i * 104_729) % 90)),
  ).join('');
  return `{"id":${at},"a":"${'ab'.repeat(at)}","n":"${noise}","z":"${'x'.repeat((at % 7) * 300)}"}`;
});

describe('a compressed topic', () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    it(`is read as it was written if the broker compresses with ${codec}`, async () => {
      const topic = `compressed-${codec}-${process.pid}`;
      await port.createTopic(topic, 1, 1, { 'compression.type': codec });
      try {
        const writer = port.openWriter();
        for (const [at, value] of values.entries())
          await writer.write(topic, { key: `{"id":${at}}`, value });
        await writer.flush();
        const read: string[] = [];
        await readTopic(port, topic, ({ value }) => void read.push(value!.toString()));
        expect(read).toEqual(values);
      } finally {
        await port.deleteTopic(topic);
      }
    });
  }
});
