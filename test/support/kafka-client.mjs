// Creates the Kafka client of the tests, and of the pipelines that they start as processes.
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';

/**
 * Returns a client for the brokers in KAFKA_BROKERS. On a secured stack, KAFKA_CA names the CA, and
 * the client logs in as the pipeline.
 */
export function kafkaClient() {
  const { KAFKA_BROKERS, KAFKA_CA, KAFKA_USERNAME, KAFKA_PASSWORD } = process.env;
  return new kafkajs.Kafka({
    brokers: KAFKA_BROKERS.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
    ...(KAFKA_CA && {
      ssl: { ca: readFileSync(KAFKA_CA) },
      sasl: { mechanism: 'scram-sha-512', username: KAFKA_USERNAME, password: KAFKA_PASSWORD },
    }),
  });
}
