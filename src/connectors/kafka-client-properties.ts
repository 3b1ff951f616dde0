// Writes the properties of a Kafka client on the JVM. They contain placeholders instead of secrets.
// The client's own process, such as a worker of Kafka Connect, resolves the placeholders. So no
// secret is in a connector's configuration.
import { basename, dirname } from 'node:path';
import {
  tlsFilesOf,
  type KafkaSpec,
  type SaslLogin,
  type TlsFiles,
  type TokenOrigin,
} from '../domain/migration/cluster-access.js';
import type { SecretRef } from '../domain/migration/spec.js';

/**
 * Converts a reference to a secret into a placeholder of Kafka Connect's config providers. A
 * reference to a file already has the form that the provider expects, `PATH:PROPERTY`.
 */
export function placeholder(secret: SecretRef): string {
  return 'env' in secret ? `\${env:${secret.env}}` : `\${file:${secret.file}}`;
}

/** Returns the properties for TLS and login. Empty if the brokers require neither. */
export function kafkaClientConfig(kafka: Pick<KafkaSpec, 'tls' | 'sasl'>): Record<string, string> {
  const files = tlsFilesOf(kafka);
  if (!files && !kafka.sasl) return {};
  return {
    'security.protocol': `${kafka.sasl ? 'SASL_' : ''}${files ? 'SSL' : 'PLAINTEXT'}`,
    ...(files ? sslConfig(files) : {}),
    ...(kafka.sasl ? saslConfig(kafka.sasl) : {}),
  };
}

/**
 * Returns the properties for TLS. Kafka can read the certificate and the key from one file, but not
 * from two files. For two files, Connect's DirectoryConfigProvider, registered as `directory`,
 * inserts both texts.
 */
function sslConfig({ ca, cert, key }: TlsFiles): Record<string, string> {
  const own: Record<string, string> =
    cert === undefined || key === undefined
      ? {}
      : cert === key
        ? { 'ssl.keystore.location': cert }
        : { 'ssl.keystore.certificate.chain': wholeFile(cert), 'ssl.keystore.key': wholeFile(key) };
  return {
    ...(ca === undefined ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': ca }),
    ...(cert === undefined ? {} : { 'ssl.keystore.type': 'PEM', ...own }),
  };
}

const wholeFile = (path: string): string => `\${directory:${dirname(path)}:${basename(path)}}`;

function saslConfig(sasl: SaslLogin): Record<string, string> {
  if (sasl.mechanism === 'oauthbearer') return tokenConfig(sasl.token);
  const { mechanism, username, passwordFrom } = sasl;
  const module = mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  return {
    'sasl.mechanism': mechanism.toUpperCase(),
    'sasl.jaas.config': `org.apache.kafka.common.security.${module} required username="${username}" password="${placeholder(passwordFrom)}";`,
  };
}

const OAUTH = 'org.apache.kafka.common.security.oauthbearer';

/**
 * Returns the properties for OAUTHBEARER. With a token endpoint, the Java client fetches the token
 * itself. It cannot run a token command. With such a command, the result has only the mechanism.
 */
function tokenConfig(token: TokenOrigin): Record<string, string> {
  if ('command' in token) return { 'sasl.mechanism': 'OAUTHBEARER' };
  const { url, clientId, clientSecretFrom, scope, ca } = token;
  const options = {
    clientId,
    clientSecret: placeholder(clientSecretFrom),
    ...(scope === undefined ? {} : { scope }),
    ...(ca === undefined ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': ca }),
  };
  const listed = Object.entries(options).map(([name, value]) => `${name}="${value}"`);
  return {
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.login.callback.handler.class': `${OAUTH}.OAuthBearerLoginCallbackHandler`,
    'sasl.oauthbearer.token.endpoint.url': url,
    // The Sluice worker encodes the id and the secret, so the Java client must do the same.
    'sasl.oauthbearer.header.urlencode': 'true',
    'sasl.jaas.config': `${OAUTH}.OAuthBearerLoginModule required ${listed.join(' ')};`,
  };
}
