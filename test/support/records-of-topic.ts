// Reads the records of a topic as text, as a consumer of the topic sees them.
import kafkajs from 'kafkajs';
import { readTopic } from '../../src/clients/kafka/records.js';
import { kafkaPort } from './access.js';
import { sleepUntil } from './builders.js';

/** Reads the topic until it has seen `count` keys. Returns the last value that each key had. */
export async function recordsOf(topic: string, count: number): Promise<Map<string, string>> {
  const kafka = new kafkajs.Kafka({
    brokers: [process.env['KAFKA_BROKERS']!],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `records-${topic}-${process.pid}` });
  const found = new Map<string, string>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) =>
      Promise.resolve(void found.set(message.key!.toString(), message.value!.toString())),
  });
  await sleepUntil('all records', () => found.size === count);
  await consumer.disconnect();
  return found;
}

/** Returns true if a record of the topic contains the text. */
export async function hasRecord(topic: string, text: string): Promise<boolean> {
  let has = false;
  const kafka = kafkaPort();
  await readTopic(kafka, topic, ({ value }) => {
    has ||= value !== null && value.toString().includes(text);
  });
  await kafka.disconnect();
  return has;
}
