// Tests how a spec names the certificates and logins for Kafka and Kafka Connect. With `snapshot:
// incremental`, the connector itself reads signals from a topic, so it needs a login, too.
import { describe, expect, it } from 'vitest';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { aPlan, aSpecInput } from '../support/builders.js';

const KAFKA = { brokers: ['kafka:9093'] };
const CONNECTOR = { type: 'debezium-postgres', url: 'https://connect:8083' };
const SASL = {
  mechanism: 'scram-sha-512',
  username: 'sluice',
  passwordFrom: { env: 'SLUICE_SECRET_KAFKA' },
};
const ENDPOINT = {
  url: 'https://issuer:8443/token',
  clientId: 'sluice',
  clientSecretFrom: { env: 'SLUICE_SECRET_KAFKA' },
};
const OAUTH = { mechanism: 'oauthbearer', token: ENDPOINT };
const problemsOf = (spec: object): string => {
  const parsed = parseSpecObject(aSpecInput({ spec: { kafka: KAFKA, ...spec } }));
  return parsed.ok ? '' : JSON.stringify(parsed.problems);
};
const configOf = (kafka: object, connector: object = {}) =>
  debeziumPostgresConfig(
    aPlan({
      spec: {
        kafka: { ...KAFKA, ...kafka },
        connector: { ...CONNECTOR, snapshot: 'incremental', ...connector },
      },
    }),
  );

describe('the signal of an incremental snapshot', () => {
  it('is read with the login and the CA of the spec, but the settings do not contain the password', () => {
    const config = configOf({ tls: { ca: '/etc/kafka/ca.pem' }, sasl: SASL });
    expect(config).toMatchObject({
      'signal.consumer.security.protocol': 'SASL_SSL',
      'signal.consumer.ssl.truststore.type': 'PEM',
      'signal.consumer.ssl.truststore.location': '/etc/kafka/ca.pem',
      'signal.consumer.sasl.mechanism': 'SCRAM-SHA-512',
      'signal.consumer.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="sluice" password="${env:SLUICE_SECRET_KAFKA}";',
    });
  });
  it("is read with a token that Kafka's client fetches, but the settings do not contain the secret", () => {
    const token = { ...ENDPOINT, scope: 'kafka', ca: '/etc/ca.pem' };
    const config = configOf({ tls: true, sasl: { ...OAUTH, token } });
    expect(config).toMatchObject({
      'signal.consumer.security.protocol': 'SASL_SSL',
      'signal.consumer.sasl.mechanism': 'OAUTHBEARER',
      'signal.consumer.sasl.login.callback.handler.class':
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler',
      'signal.consumer.sasl.oauthbearer.token.endpoint.url': 'https://issuer:8443/token',
      'signal.consumer.sasl.jaas.config':
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="sluice" clientSecret="${env:SLUICE_SECRET_KAFKA}" scope="kafka" ssl.truststore.type="PEM" ssl.truststore.location="/etc/ca.pem";',
    });
  });
  it('is read at the addresses at which Kafka Connect reaches the brokers', () => {
    expect(configOf({}, { brokers: ['inner:9092', 'other:9092'] })).toMatchObject({
      'signal.kafka.bootstrap.servers': 'inner:9092,other:9092',
    });
    expect(configOf({})).toMatchObject({ 'signal.kafka.bootstrap.servers': 'kafka:9093' });
  });
  it('is read with certificate and key from one file, or from two files through a config provider', () => {
    expect(configOf({ tls: { cert: '/c/me.pem', key: '/c/me.pem' } })).toMatchObject({
      'signal.consumer.security.protocol': 'SSL',
      'signal.consumer.ssl.keystore.type': 'PEM',
      'signal.consumer.ssl.keystore.location': '/c/me.pem',
    });
    expect(configOf({ tls: { cert: '/c/me.crt', key: '/k/me.key' } })).toMatchObject({
      'signal.consumer.ssl.keystore.certificate.chain': '${directory:/c:me.crt}',
      'signal.consumer.ssl.keystore.key': '${directory:/k:me.key}',
    });
  });
  it('is read only with a password that Kafka Connect can find', () => {
    const sasl = { ...SASL, passwordFrom: { file: '/run/secrets/kafka' } };
    const connector = { ...CONNECTOR, snapshot: 'incremental' };
    expect(problemsOf({ kafka: { ...KAFKA, sasl }, connector })).toContain('names no key');
    const token = { ...ENDPOINT, clientSecretFrom: { file: '/run/secrets/kafka' } };
    expect(problemsOf({ kafka: { ...KAFKA, sasl: { ...OAUTH, token } }, connector })).toContain(
      'names no key',
    );
  });
  it('is refused with a relative path to the password, and the message says so', () => {
    const sasl = { ...SASL, passwordFrom: { file: 'secrets/kafka.properties:password' } };
    const connector = { ...CONNECTOR, snapshot: 'incremental' };
    const problems = problemsOf({ kafka: { ...KAFKA, sasl }, connector });
    expect(problems).toContain('is a relative path');
    expect(problems).not.toContain('names no key');
  });
  it('cannot be read with a token from a command, because Kafka Connect cannot run the command', () => {
    const sasl = { ...OAUTH, token: { command: '/opt/msk-token' } };
    const connector = { ...CONNECTOR, snapshot: 'incremental' };
    expect(problemsOf({ kafka: { ...KAFKA, sasl } })).toBe('');
    expect(problemsOf({ kafka: { ...KAFKA, sasl }, connector })).toContain('cannot run');
  });
});

describe('a spec', () => {
  it.each([
    ['a certificate without its key', { kafka: { ...KAFKA, tls: { cert: '/c/a.crt' } } }],
    ['a key without its certificate', { connector: { ...CONNECTOR, tls: { key: '/c/a.key' } } }],
  ])('is refused with %s', (_name, spec) => {
    expect(problemsOf(spec)).toContain('cert and key belong together');
  });
  it.each([
    [
      'certificates for an http URL',
      { connector: { ...CONNECTOR, url: 'http://c:8083', tls: { ca: '/c/ca.pem' } } },
      'only used with an https URL',
    ],
    [
      'brokers that no connector would use',
      { connector: { ...CONNECTOR, brokers: ['inner:9092'] } },
      'only with snapshot: incremental',
    ],
    [
      'a user name that could read a different secret',
      { kafka: { ...KAFKA, sasl: { ...SASL, username: '${env:OTHER}' } } },
      'expected a user name without',
    ],
    [
      'a user name that could add options',
      { kafka: { ...KAFKA, sasl: { ...SASL, username: 'a" x="b' } } },
      'expected a user name without',
    ],
    [
      'a client id that could add options',
      { kafka: { ...KAFKA, sasl: { ...OAUTH, token: { ...ENDPOINT, clientId: 'a" b="' } } } },
      'expected an id without',
    ],
    [
      'a command with arguments or a relative path',
      { kafka: { ...KAFKA, sasl: { ...OAUTH, token: { command: 'msk-token' } } } },
      'expected the absolute path',
    ],
    [
      'a mechanism that Sluice does not support',
      { kafka: { ...KAFKA, sasl: { ...SASL, mechanism: 'gssapi' } } },
      'oauthbearer',
    ],
    [
      'a literal password for Kafka Connect',
      { connector: { ...CONNECTOR, auth: { username: 'a', passwordFrom: 's3cret' } } },
      'reference to a secret',
    ],
  ])('is refused with %s', (_name, spec, says) => {
    expect(problemsOf(spec)).toContain(says);
  });
});
