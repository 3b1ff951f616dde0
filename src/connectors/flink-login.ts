// Writes the options with which Flink's Kafka tables log in. The options contain placeholders
// instead of secrets. Kafka's client in Flink's own processes resolves the placeholders.
// Statements, the gateway's log and Flink's UI therefore contain no secret.
import type { KafkaSpec } from '../domain/migration/cluster-access.js';
import { kafkaClientConfig } from './kafka-client-properties.js';

type Login = Pick<KafkaSpec, 'tls' | 'sasl'>;

/**
 * The Java packages in which Flink can have Kafka's client. `flink-sql-connector-kafka` moves the
 * client to a package of its own, and `flink-connector-kafka` does not. Options that name a class
 * must use the package of the installed connector.
 */
export const CLIENT_PACKAGES = [
  'org.apache.flink.kafka.shaded.org.apache.kafka',
  'org.apache.kafka',
] as const;
export type ClientPackage = (typeof CLIENT_PACKAGES)[number];

const PROVIDERS = {
  env: 'EnvVarConfigProvider',
  file: 'FileConfigProvider',
  directory: 'DirectoryConfigProvider',
} as const;
type Provider = keyof typeof PROVIDERS;

const providersOf = (config: Readonly<Record<string, string>>): Provider[] =>
  (Object.keys(PROVIDERS) as Provider[]).filter((name) =>
    Object.values(config).some((value) => value.includes(`\${${name}:`)),
  );

/**
 * Returns whether the options name a class of Kafka's client. Each placeholder needs such a class:
 * its config provider.
 */
export const namesClasses = (kafka: Login): boolean =>
  providersOf(kafkaClientConfig(kafka)).length > 0;

/** Returns the name of a config provider's class. Each of the packages contains this class. */
export const providerClass = (client: ClientPackage, name: Provider = 'env'): string =>
  `${client}.common.config.provider.${PROVIDERS[name]}`;

/** Returns the login options of a Flink table, each with the prefix `properties.`. */
export function flinkLogin(kafka: Login, client: ClientPackage): Record<string, string> {
  const config = kafkaClientConfig(kafka);
  const providers = providersOf(config);
  const all = {
    ...config,
    ...(providers.length > 0 ? { 'config.providers': providers.join(',') } : {}),
    ...Object.fromEntries(
      providers.map((name) => [`config.providers.${name}.class`, providerClass(client, name)]),
    ),
  };
  return Object.fromEntries(
    Object.entries(all).map(([key, value]) => [
      `properties.${key}`,
      // a class name can only begin a value: the JAAS configuration begins with the login module
      value.replace(/^org\.apache\.kafka(?=\.)/, client),
    ]),
  );
}
