// Explains why Kafka's brokers refuse a connection or a call, and says what to correct in the spec
// or in Kafka.
import { Problem } from '../../domain/failure.js';
import { loginText, tlsFilesOf, type KafkaSpec } from '../../domain/migration/cluster-access.js';
import { quoteForeign } from '../../domain/values/foreign-text.js';
import { tlsTrouble } from '../tls-trouble.js';
import { KafkaDenied } from './kafka-denied.js';

/** Returns the Problem for a failed connection. Returns null if the cause is unknown. */
export function connectionTrouble(error: unknown, kafka: KafkaSpec): Problem | null {
  const server = `Kafka at ${kafka.brokers.join(', ')}`;
  const files = tlsFilesOf(kafka);
  const { name = '', message = '' } = (error ?? {}) as { name?: string; message?: string };
  const own = [error, (error as { cause?: unknown } | null)?.cause];
  const known = own.find((one): one is Problem => one instanceof Problem);
  if (known) return known;
  const inTls = files && tlsTrouble(error, { server, field: 'kafka.tls', ca: files.ca });
  if (inTls) return inTls;
  if (kafka.sasl && (name.includes('SASL') || /\bSASL\b/.test(message))) {
    const remedy =
      kafka.sasl.mechanism === 'oauthbearer'
        ? 'enable OAUTHBEARER at the listener of these brokers, or correct kafka.sasl, then: sluice retry'
        : 'correct kafka.sasl (username, mechanism, and the secret in passwordFrom), or create that user in Kafka, then: sluice retry';
    return new KafkaDenied(
      `${server} refused the login of ${loginText(kafka.sasl)}: ${quoteForeign(message)}`,
      remedy,
    );
  }
  if (/Closed connection|ECONNRESET/i.test(message) && !kafka.sasl)
    return new Problem(
      'unreachable',
      `${server} closed the connection: ${quoteForeign(message)}`,
      files
        ? 'if the brokers require a login, add kafka.sasl; if they require a certificate, add kafka.tls.cert and kafka.tls.key'
        : 'check kafka.brokers; if the brokers require TLS or a login, add kafka.tls or kafka.sasl',
    );
  return null;
}

/** Kafka's error code for a call that the ACLs of a topic do not allow. */
const TOPIC_AUTHORIZATION_FAILED = 29;

/** The ACL operation that a request needs. */
type Operation = 'Describe' | 'Read' | 'Write' | 'Delete' | 'Create';

/** Returns the Problem for a call that the ACLs do not allow. */
export const denied = (operation: Operation, topic: string): Problem =>
  new KafkaDenied(
    `Kafka does not allow Sluice's principal to ${operation.toUpperCase()} topic ${topic}`,
    `allow it (kafka-acls --add --allow-principal User:… --operation ${operation} --topic ${topic}), then: sluice retry`,
  );

/**
 * Returns the error for a broker's error code. `partition` is null if the answer is about the whole
 * topic.
 */
export function answeredError(
  request: string,
  operation: Operation,
  topic: string,
  partition: number | null,
  code: number,
): Error {
  if (code === TOPIC_AUTHORIZATION_FAILED) return denied(operation, topic);
  const place = partition === null ? topic : `${topic}/${partition}`;
  return new Error(`${request} ${place}: error code ${code}`);
}

/** Returns whether an error of kafkajs says that the ACLs of a topic do not allow the call. */
export const isDenied = (error: unknown): boolean => {
  const { type, cause } = (error ?? {}) as { type?: string; cause?: { type?: string } };
  return [type, cause?.type].includes('TOPIC_AUTHORIZATION_FAILED');
};
