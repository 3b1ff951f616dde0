// Explains why Flink's own processes cannot reach Kafka, and names the fields of the spec that may
// be wrong.
import { Problem } from '../../domain/failure.js';
import {
  kafkaOfEngine,
  neededByEngine,
  type EngineSpec,
} from '../../domain/migration/engine-access.js';
import { loginText } from '../../domain/migration/cluster-access.js';
import { FlinkError } from './flink-gateway.js';

/** Returns the Problem for an error of Flink. Returns null if Kafka is not its cause. */
export function flinkTrouble(error: unknown, spec: EngineSpec): Problem | null {
  if (!(error instanceof FlinkError)) return null;
  const has = (...names: string[]): boolean => names.some((name) => error.causes.includes(name));
  const { brokers, sasl } = kafkaOfEngine(spec);
  const server = `Kafka at ${brokers.join(', ')}`;
  const key = spec.validation.sasl ? 'validation.sasl' : 'kafka.sasl';
  const needed = neededByEngine(spec).join(' ');
  if (has('TopicAuthorizationException'))
    return new Problem(
      'permission-denied',
      `${server} does not allow Flink's login to read: ${error.message}`,
      'allow what `sluice plan` lists for that login, then: sluice retry',
    );
  if (has('SaslAuthenticationException') && sasl)
    return new Problem(
      'permission-denied',
      `${server} refused the login of Flink as ${loginText(sasl)}: ${error.message}`,
      `correct ${key}, or the secret in Flink's processes. ${needed} After a change: sluice retry`,
    );
  if (has('SslAuthenticationException', 'SSLHandshakeException', 'InvalidConfigurationException'))
    return new Problem(
      'unreachable',
      `Flink and ${server} could not agree on TLS: ${error.message}`,
      `correct kafka.tls, or the files in Flink's processes. ${needed} After a change: sluice retry`,
    );
  return null;
}
