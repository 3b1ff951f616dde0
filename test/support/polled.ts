// Provides what the tests of Sluice's JDBC source share: parts of a spec, and records of a topic.
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { connectAccess } from './access.js';

/** Returns the parts of a spec whose tables are polled. */
export const polling = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  connector: {
    type: 'jdbc-source',
    ...connectAccess(),
    mode: 'timestamp+incrementing',
    incrementingColumn: 'id',
    timestampColumns: ['changed'],
    delay: '1s',
    deletes: 'none',
    ...more,
  },
  validation: { every: '1s', passesInARow: 2 },
});

/** Returns all committed records of a topic with one partition. */
export async function records(
  port: KafkaPort,
  topic: string,
): Promise<{ key: string; value: string }[]> {
  const found: { key: string; value: string }[] = [];
  await readTopic(port, topic, ({ key, value }) => {
    found.push({ key: key!.toString(), value: value!.toString() });
  });
  return found;
}
