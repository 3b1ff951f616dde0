// Tests how a spec gives Flink its login to Kafka (`validation.engine: flink`), which options
// Flink's tables get, and which logins are refused.
import { describe, expect, it } from 'vitest';
import { CLIENT_PACKAGES, flinkLogin, namesClasses } from '../../src/connectors/flink-login.js';
import { aclsOf } from '../../src/domain/access/acls.js';
import { kafkaOfEngine } from '../../src/domain/migration/engine-access.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { aPlan, aSpec, aSpecInput } from '../support/builders.js';

const [SHADED, PLAIN] = CLIENT_PACKAGES;
const SASL = {
  mechanism: 'scram-sha-512',
  username: 'sluice',
  passwordFrom: { env: 'SLUICE_SECRET_KAFKA' },
} as const;
const OWN = { ...SASL, username: 'flink', passwordFrom: { env: 'SLUICE_SECRET_FLINK' } };
const ENDPOINT = {
  url: 'https://issuer:8443/token',
  clientId: 'sluice',
  clientSecretFrom: { env: 'SLUICE_SECRET_KAFKA' },
};
const FLINK = { engine: 'flink', gateway: 'http://flink:8083' };
const KAFKA = { brokers: ['kafka:9093'], tls: { ca: '/etc/ca.crt' }, sasl: SASL };
const specWith = (kafka: object = {}, validation: object = {}) => ({
  kafka: { ...KAFKA, ...kafka },
  validation: { ...FLINK, ...validation },
});
const problemsOf = (kafka: object, validation: object = {}): string => {
  const parsed = parseSpecObject(aSpecInput({ spec: specWith(kafka, validation) }));
  return parsed.ok ? '' : JSON.stringify(parsed.problems);
};
const tls = { cert: '/c/me.crt', key: '/k/me.key' };

describe("the options of Flink's tables", () => {
  it("name the login module and the provider in the Java package that Flink's connector uses", () => {
    expect(flinkLogin(KAFKA, SHADED)).toEqual({
      'properties.security.protocol': 'SASL_SSL',
      'properties.ssl.truststore.type': 'PEM',
      'properties.ssl.truststore.location': '/etc/ca.crt',
      'properties.sasl.mechanism': 'SCRAM-SHA-512',
      'properties.sasl.jaas.config':
        'org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required username="sluice" password="${env:SLUICE_SECRET_KAFKA}";',
      'properties.config.providers': 'env',
      'properties.config.providers.env.class':
        'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    });
    expect(flinkLogin(KAFKA, PLAIN)).toMatchObject({
      'properties.sasl.jaas.config': expect.stringMatching(/^org\.apache\.kafka\.common/) as string,
      'properties.config.providers.env.class':
        'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    });
  });
  it('read a password and a private key from files through config providers of Kafka', () => {
    const sasl = { ...SASL, passwordFrom: { file: '/run/secrets/kafka.properties:password' } };
    expect(flinkLogin({ tls, sasl }, SHADED)).toMatchObject({
      'properties.sasl.jaas.config': expect.stringContaining(
        'password="${file:/run/secrets/kafka.properties:password}"',
      ) as string,
      'properties.ssl.keystore.key': '${directory:/k:me.key}',
      'properties.config.providers': 'file,directory',
      'properties.config.providers.file.class': `${SHADED}.common.config.provider.FileConfigProvider`,
      'properties.config.providers.directory.class': `${SHADED}.common.config.provider.DirectoryConfigProvider`,
    });
  });
  it('name no class if the brokers ask for no login', () => {
    expect(namesClasses({ tls: { ca: '/etc/ca.crt' } })).toBe(false);
    expect(flinkLogin({ tls: false }, SHADED)).toEqual({});
  });
});

describe("Flink's login", () => {
  it("is the worker's login, or a separate login, for which the plan then lists an ACL", () => {
    const plain = aPlan({ spec: specWith() });
    expect(kafkaOfEngine(plain.spec).sasl).toEqual(SASL);
    expect(aclsOf(plain).some(({ principal }) => principal === 'flink')).toBe(false);
    const own = aPlan({ spec: specWith({}, { sasl: OWN }) });
    expect(kafkaOfEngine(own.spec).sasl).toEqual(OWN);
    expect(aclsOf(own)).toContainEqual(
      expect.objectContaining({
        principal: 'flink',
        name: 'bank.',
        pattern: 'prefixed',
        operations: ['Describe', 'Read'],
      }),
    );
  });
  it("makes the plan list the variables and files that Flink's processes need", () => {
    const needs = (kafka: object, validation: object = {}) =>
      buildPlan(aSpec({ spec: specWith(kafka, validation) })).needs;
    expect(needs({})).toEqual([
      "To log in to Kafka, Flink's job manager and every task manager need the variable SLUICE_SECRET_KAFKA in their environment, the file /etc/ca.crt.",
    ]);
    expect(needs({ sasl: undefined, tls })).toEqual([
      "To log in to Kafka, Flink's job manager and every task manager need the file /c/me.crt, the file /k/me.key.",
    ]);
    expect(needs({ sasl: undefined, tls: false })).toBeUndefined();
    expect(needs({}, { engine: 'embedded', gateway: undefined })).toBeUndefined();
  });
  it('may be a password or a certificate, and a separate password if the worker uses a token', () => {
    expect(problemsOf({})).toBe('');
    expect(problemsOf({ sasl: undefined, tls })).toBe('');
    const token = { mechanism: 'oauthbearer', token: ENDPOINT };
    expect(problemsOf({ sasl: token }, { sasl: OWN })).toBe('');
  });
  it.each<[string, object, object, string]>([
    [
      'the token of a command',
      { sasl: { mechanism: 'oauthbearer', token: { command: '/opt/token' } } },
      {},
      "cannot run the worker's token command",
    ],
    [
      'the token of an endpoint',
      { sasl: { mechanism: 'oauthbearer', token: ENDPOINT } },
      {},
      'ask a token endpoint',
    ],
    [
      'a file without a key',
      { sasl: { ...SASL, passwordFrom: { file: '/run/kafka' } } },
      {},
      'names no key',
    ],
    [
      'a separate password file without a key',
      {},
      { sasl: { ...OWN, passwordFrom: { file: '/run/kafka' } } },
      'names no key',
    ],
    [
      'a separate login if the brokers ask for none',
      { sasl: undefined },
      { sasl: OWN },
      'kafka.sasl is absent',
    ],
    [
      'a separate login with the embedded engine',
      {},
      { engine: 'embedded', gateway: undefined, sasl: OWN },
      'is used only with engine: flink',
    ],
    ['a separate token', {}, { sasl: { mechanism: 'oauthbearer', token: ENDPOINT } }, 'mechanism'],
  ])('cannot be %s', (_what, kafka, validation, says) =>
    expect(problemsOf(kafka, validation)).toContain(says),
  );
});
