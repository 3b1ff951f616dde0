// Provides the addresses and logins with which tests reach the servers of the running stack. On a
// secured stack, Postgres, Kafka and Kafka Connect need TLS and a login. On a plain stack, only
// Postgres needs a login. With these functions, the same test can run on both.
import { parseDocument } from 'yaml';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { httpAccess } from '../../src/clients/http/http-access.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { KafkaSpec, Login, TlsFiles } from '../../src/domain/migration/cluster-access.js';
import { resolveSecret } from '../../src/wiring/config.js';

export { kafkaClient } from './kafka-client.mjs';

/** Returns the file with the CA of a secured stack, or undefined on a plain stack. */
const ca = (): string | undefined => process.env['KAFKA_CA'];

export const isSecured = (): boolean => ca() !== undefined;

/** Returns the part `kafka` of a spec. On a secured stack, each topic has three replicas. */
export const kafkaAccess = (): KafkaSpec => {
  const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
  const file = ca();
  if (file === undefined) return { brokers, replication: 1, partitions: 1, tls: false };
  const passwordFrom = { env: 'SLUICE_SECRET_KAFKA' };
  const sasl = { mechanism: 'scram-sha-512', username: 'sluice', passwordFrom } as const;
  return { brokers, replication: 3, partitions: 1, tls: { ca: file }, sasl };
};

/** Returns a connection to Kafka with the login of the worker. */
export const kafkaPort = (): KafkaPort => new KafkaPort(kafkaAccess(), resolveSecret);

interface ConnectAccess {
  readonly url: string;
  readonly tls?: TlsFiles;
  readonly auth?: Login;
}

/** Returns the keys of a spec's `connector` that say how to reach Kafka Connect. */
export const connectAccess = (): ConnectAccess => {
  const url = process.env['CONNECT_URL'] ?? '';
  const file = ca();
  if (file === undefined) return { url };
  const passwordFrom = { env: 'SLUICE_SECRET_CONNECT' };
  return { url, tls: { ca: file }, auth: { username: 'rest', passwordFrom } };
};

export const connectRest = (): ConnectRest => {
  const access = connectAccess();
  return new ConnectRest(access.url, undefined, httpAccess(access.url, access, resolveSecret));
};

interface ConnectRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Sends a request to Kafka Connect without Sluice's client, as a person would. The built-in `fetch`
 * trusts the CA of a secured stack, because NODE_EXTRA_CA_CERTS names it.
 */
export function fetchConnect(path: string, init: ConnectRequest = {}): Promise<Response> {
  const access = connectAccess();
  const { authorization } = httpAccess(access.url, access, resolveSecret);
  return fetch(`${access.url}${path}`, {
    ...init,
    headers: { ...init.headers, ...(authorization ? { authorization } : {}) },
  });
}

/** Returns the names of all connectors of Kafka Connect, including those of other tests. */
export const connectorNames = async (): Promise<string[]> =>
  (await (await fetchConnect('/connectors')).json()) as string[];

/** Returns the keys of `source.postgres` that ask for TLS. */
export const postgresTls = (): { sslmode?: string; sslrootcert?: string } => {
  const sslrootcert = process.env['PGSSLROOTCERT'];
  return sslrootcert === undefined ? {} : { sslmode: 'verify-full', sslrootcert };
};

/** Puts the addresses and logins of this stack into the spec of an example. */
export function onThisStack(yaml: string, database: string): string {
  const document = parseDocument(yaml);
  const put = (path: string[], keys: object): void => {
    for (const [key, value] of Object.entries(keys))
      document.setIn(['spec', ...path, key], document.createNode(value));
  };
  const [host, port] = [process.env['PGHOST'], Number(process.env['PGPORT'])];
  put(['source', 'postgres'], { host, port, database, ...postgresTls() });
  put(['connector'], connectAccess());
  const { brokers, replication, tls, sasl } = kafkaAccess();
  put(['kafka'], isSecured() ? { brokers, replication, tls, sasl } : { brokers });
  return document.toString({ lineWidth: 0 });
}
