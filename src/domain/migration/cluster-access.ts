// Defines the addresses, certificates and logins of Kafka and Kafka Connect. A spec names files and
// secrets, and never contains them.
import type { TableFormat } from './topic-format.js';

export type SecretRef = { readonly env: string } | { readonly file: string };

/** PEM files. The paths are the same on the Sluice worker and on the Kafka Connect workers. */
export interface TlsFiles {
  /** The CA that signed the server's certificate. */
  readonly ca?: string | undefined;
  /** The client's certificate. */
  readonly cert?: string | undefined;
  /** The client's private key. */
  readonly key?: string | undefined;
}

export interface PasswordLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly passwordFrom: SecretRef;
}

/** An issuer that gives a token to a client that presents its id and secret. */
export interface TokenEndpoint {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecretFrom: SecretRef;
  readonly scope?: string | undefined;
  /** The PEM file of the CA, on the worker and on the Kafka Connect workers. */
  readonly ca?: string | undefined;
}

/** The origin of tokens: an endpoint, or a program on the worker that prints a token. */
export type TokenOrigin = TokenEndpoint | { readonly command: string };

export interface TokenLogin {
  readonly mechanism: 'oauthbearer';
  readonly token: TokenOrigin;
}

export type SaslLogin = PasswordLogin | TokenLogin;

/** The schema registry that has the schemas of the records. */
export interface RegistrySpec {
  /** The URL of the registry's Confluent-compatible API. */
  readonly url: string;
  readonly auth?: Login | undefined;
  /** The PEM file of the CA, on the worker and on the Kafka Connect workers. */
  readonly ca?: string | undefined;
  /** The vendor of the Avro converter that is installed at Kafka Connect. */
  readonly converter: 'confluent' | 'apicurio';
}

export interface KafkaSpec {
  readonly brokers: readonly string[];
  readonly replication: number;
  readonly partitions: number;
  /** True means TLS with the CAs of the system. */
  readonly tls: boolean | TlsFiles;
  readonly sasl?: SaslLogin | undefined;
  /** The format of the tables' topics. JSON if absent. */
  readonly format?: TableFormat | undefined;
  readonly registry?: RegistrySpec | undefined;
}

/** A login at an HTTP server, by basic or bearer authentication. */
export type Login =
  | { readonly username: string; readonly passwordFrom: SecretRef }
  | { readonly tokenFrom: SecretRef };

/** Returns the files for TLS with the brokers. Null means no TLS. */
export const tlsFilesOf = ({ tls }: Pick<KafkaSpec, 'tls'>): TlsFiles | null =>
  tls === true ? {} : tls === false ? null : tls;

/**
 * Returns whether the brokers authenticate their clients. They may then refuse access to single
 * topics and groups.
 */
export const isAuthenticated = (kafka: Pick<KafkaSpec, 'tls' | 'sasl'>): boolean =>
  kafka.sasl !== undefined || tlsFilesOf(kafka)?.cert !== undefined;

/** Returns the hosts of `host:port` addresses. */
export const hostsOf = (brokers: readonly string[]): string[] =>
  brokers.map((broker) => broker.slice(0, broker.lastIndexOf(':')));

/** Returns the login in words, for messages. It contains no secret. */
export const loginText = (sasl: SaslLogin): string =>
  sasl.mechanism === 'oauthbearer'
    ? `a token of ${'command' in sasl.token ? sasl.token.command : sasl.token.url}`
    : `${sasl.username} with ${sasl.mechanism}`;

interface WithBrokers {
  readonly connector: { readonly brokers?: readonly string[] | undefined };
  readonly kafka: Pick<KafkaSpec, 'brokers'>;
}

/** Returns the brokers' addresses that Kafka Connect uses. */
export const brokersOfConnect = ({ connector, kafka }: WithBrokers): readonly string[] =>
  connector.brokers ?? kafka.brokers;
