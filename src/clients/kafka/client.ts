// Creates the kafkajs client for a cluster, with TLS and login.
import kafkajs from 'kafkajs';
import {
  hostsOf,
  loginText,
  tlsFilesOf,
  type KafkaSpec,
  type SaslLogin,
} from '../../domain/migration/cluster-access.js';
import { quoteForeign } from '../../domain/values/foreign-text.js';
import type { ResolveSecret } from '../postgres/connection.js';
import { tlsOptions } from '../tls-files.js';
import { KafkaDenied } from './kafka-denied.js';
import { TokenSource } from './oauth-token.js';

/**
 * Returns a client that has not connected yet. Throws Problem `permission-denied` if a secret or a
 * certificate cannot be read.
 */
export function kafkaClient(spec: KafkaSpec, secret: ResolveSecret): kafkajs.Kafka {
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
    ...(spec.sasl ? { sasl: loginOf(spec.sasl, hosts, secret) } : {}),
  });
}

function loginOf(
  sasl: SaslLogin,
  hosts: readonly string[],
  secret: ResolveSecret,
): kafkajs.SASLOptions | kafkajs.Mechanism {
  if (sasl.mechanism === 'oauthbearer')
    return tokenMechanism(new TokenSource(sasl.token, hosts, secret), sasl);
  const { mechanism, username, passwordFrom } = sasl;
  return { mechanism, username, password: secret(passwordFrom, hosts) } as kafkajs.SASLOptions;
}

/**
 * Logs in with a token (RFC 7628). A broker refuses a token with a message that has no error code.
 * kafkajs does not read that message and would assume success. Therefore this mechanism reads the
 * message.
 */
function tokenMechanism(tokens: TokenSource, sasl: SaslLogin): kafkajs.Mechanism {
  return {
    mechanism: sasl.mechanism,
    authenticationProvider: ({ host, port, saslAuthenticate }) => ({
      async authenticate() {
        const message = Buffer.from(`n,,\u0001auth=Bearer ${await tokens.token()}\u0001\u0001`);
        const size = Buffer.alloc(4);
        size.writeInt32BE(message.length);
        const said = await saslAuthenticate({
          request: { encode: () => Buffer.concat([size, message]) },
          response: { decode: (raw) => raw.subarray(size.length), parse: (raw) => raw.toString() },
        });
        if (said)
          throw new KafkaDenied(
            `Kafka at ${host}:${port} refuses ${loginText(sasl)}: ${quoteForeign(said)}`,
            "correct what the issuer puts into its tokens (issuer, audience, scope), or the brokers' sasl.oauthbearer settings, then: sluice retry",
          );
      },
    }),
  };
}
