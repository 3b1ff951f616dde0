// Tests how an answer of Flink's SQL Gateway becomes an error. The error of a refused login names
// the login, the cause, and the variable that Flink's processes need. Flink may bundle Kafka's
// client under a different Java package, so the file also tests which package Sluice names.
import { describe, expect, it } from 'vitest';
import { FlinkError } from '../../src/clients/http/flink-gateway.js';
import { flinkTrouble } from '../../src/clients/http/flink-trouble.js';
import { CLIENT_PACKAGES } from '../../src/connectors/flink-login.js';
import { flinkKafka } from '../../src/activities/runtime/flink-kafka.js';
import { aSpec } from '../support/builders.js';

const sasl = {
  mechanism: 'scram-sha-512',
  username: 'ann',
  passwordFrom: { env: 'SLUICE_SECRET_ANN' },
};
const { spec } = aSpec({
  spec: {
    kafka: { brokers: ['kafka:9093'], tls: { ca: '/etc/ca.crt' }, sasl },
    validation: { engine: 'flink', gateway: 'http://flink:8083' },
  },
});

const ERRORS = `${CLIENT_PACKAGES[0]}.common.errors`;
/** The form of the gateway's answer if a job fails, with a short stack trace. */
const answerOf = (error: string, text: string): FlinkError =>
  FlinkError.of([
    'Internal server error.',
    `<Exception on server side:
org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetch results
\tat org.apache.flink.table.gateway.SomeException.at(SomeException.java:1)
Caused by: org.apache.flink.runtime.JobException: Recovery is suppressed
Caused by: org.apache.flink.util.FlinkRuntimeException: Failed to list subscribed topic partitions
Caused by: ${ERRORS}.${error}: ${text}
End of exception on server side>`,
  ]);

describe('an error of Flink', () => {
  it('names the classes of its exceptions, but not the classes in their stack traces', () => {
    const { causes, message } = answerOf('SaslAuthenticationException', 'Authentication failed');
    expect(causes).toContain('SaslAuthenticationException');
    expect(causes).not.toContain('SomeException');
    expect(message).toBe('Authentication failed');
  });
  it.each([
    [
      'SaslAuthenticationException',
      'permission-denied',
      /refused the login of Flink as ann with scram-sha-512: text/,
      /kafka\.sasl.*the variable SLUICE_SECRET_ANN in their environment, the file \/etc\/ca\.crt/,
    ],
    ['TopicAuthorizationException', 'permission-denied', /does not allow .*: text/, /sluice plan/],
    ['SslAuthenticationException', 'unreachable', /could not agree on TLS: text/, /kafka\.tls/],
  ])('that Kafka caused becomes a problem with a remedy: %s', (error, code, detail, remedy) => {
    const problem = flinkTrouble(answerOf(error, 'text'), spec);
    expect(problem?.code).toBe(code);
    expect(problem?.message).toMatch(detail);
    expect(problem?.remedy).toMatch(remedy);
  });
  it('that has a cause other than Kafka stays as it is', () => {
    expect(flinkTrouble(answerOf('TimeoutException', 'text'), spec)).toBeNull();
    expect(flinkTrouble(new Error('text'), spec)).toBeNull();
  });
});

describe("the Java package of Kafka's client", () => {
  const optionsIf = (isThere: (name: string) => boolean) =>
    flinkKafka({ hasClass: (name) => Promise.resolve(isThere(name)) }, spec);

  it.each(CLIENT_PACKAGES)(
    'is the one in which the gateway finds the classes of the client: %s',
    async (client) => {
      const { login } = await optionsIf((name) => name.startsWith(`${client}.common`));
      expect(login['properties.sasl.jaas.config']).toMatch(`${client}.common.security.scram`);
    },
  );
  it('is named in the error if the gateway has none', async () => {
    await expect(optionsIf(() => false)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(CLIENT_PACKAGES[0]) as string,
    });
  });
});
