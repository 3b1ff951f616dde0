// Defines how Flink reaches Kafka if it compares the tables (`validation.engine: flink`).
import {
  tlsFilesOf,
  type KafkaSpec,
  type PasswordLogin,
  type SecretRef,
} from './cluster-access.js';

/** The parts of a spec that say how Flink logs in. */
export interface EngineSpec {
  readonly kafka: KafkaSpec;
  readonly validation: { readonly engine: string; readonly sasl?: PasswordLogin | undefined };
}

/** Returns the brokers, the files and the login that Flink uses. */
export const kafkaOfEngine = ({ kafka, validation }: EngineSpec): KafkaSpec => ({
  ...kafka,
  sasl: validation.sasl ?? kafka.sasl,
});

/** Returns the secrets that Flink's processes read themselves. Sluice never sends them to Flink. */
export function secretsOfEngine(spec: EngineSpec): SecretRef[] {
  const { tls, sasl } = kafkaOfEngine(spec);
  const key = tlsFilesOf({ tls })?.key;
  return [
    ...(sasl && 'passwordFrom' in sasl ? [sasl.passwordFrom] : []),
    ...(key === undefined ? [] : [{ file: key }]),
  ];
}

/**
 * Returns a list with one sentence about what Flink's processes need to log in to Kafka. The list
 * is empty if Flink does not compare the tables, or needs nothing. The SQL Gateway needs nothing,
 * because it opens no connection to Kafka.
 */
export function neededByEngine(spec: EngineSpec): string[] {
  if (spec.validation.engine !== 'flink') return [];
  const { ca, cert } = tlsFilesOf(spec.kafka) ?? {};
  const secrets = secretsOfEngine(spec);
  const variables = secrets.flatMap((secret) =>
    'env' in secret ? [`the variable ${secret.env} in their environment`] : [],
  );
  const files = [ca, cert, ...secrets.map(fileOf)].filter((one) => one !== undefined);
  const list = [...variables, ...[...new Set(files)].map((file) => `the file ${file}`)];
  return list.length === 0
    ? []
    : [`To log in to Kafka, Flink's job manager and every task manager need ${list.join(', ')}.`];
}

/** Returns the path of the file, without `:PROPERTY` at its end. Undefined for a variable. */
const fileOf = (secret: SecretRef): string | undefined =>
  'file' in secret ? secret.file.replace(/:[^:/]+$/, '') : undefined;
