// Makes the kafkajs client of a cluster, with TLS and login.
import kafkajs from 'kafkajs';
import { hostsOf, tlsFilesOf, type KafkaSpec } from '../../domain/migration/cluster-access.js';
import { tlsOptions, type ReadSecret } from '../tls-files.js';

/**
 * Returns a client that has not connected yet. Throws Problem `permission-denied` if a secret or a
 * certificate cannot be read.
 */
export function kafkaClient(spec: KafkaSpec, secret: ReadSecret): kafkajs.Kafka {
  const hosts = hostsOf(spec.brokers);
  const files = tlsFilesOf(spec);
  return new kafkajs.Kafka({
    clientId: 'sluice',
    brokers: [...spec.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 2000 },
    ssl: files ? tlsOptions(files, secret, hosts) : false,
    ...(spec.sasl
      ? {
          sasl: {
            mechanism: spec.sasl.mechanism,
            username: spec.sasl.username,
            password: secret(spec.sasl.passwordFrom, hosts),
          } as kafkajs.SASLOptions,
        }
      : {}),
  });
}
