// Tests SASL OAUTHBEARER with a real broker, which verifies the signed tokens of a local issuer.
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic } from '../../src/clients/kafka/records.js';
import { kafkaClientConfig } from '../../src/connectors/kafka-client-properties.js';
import type { KafkaSpec } from '../../src/domain/migration/cluster-access.js';
import { kafkaLibs } from '../../stack/fetch.js';
import { run } from '../../stack/make-once.js';
import { stackHome } from '../../stack/paths.js';
import { launch, stop, untilReady } from '../../stack/processes.js';
import { BROKER_NAME, securedOf } from '../../stack/secure.js';
import { COMMON, JVM } from '../../stack/services/kafka.js';
import { freePort } from '../support/free-port.js';

const home = stackHome();
const secured = securedOf(home)!;
const folder = join(home.dir, 'oauth');
const SERVICE = 'kafka-oauth';
/** The broker ends a connection that has not logged in again within this time. */
const SESSION_MS = 12_000;
const SECRET = 'a secret of the client';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = join(folder, 'jwks.json');
let issuer: Server;
let url: string;
let port: number;
let inner: number;
let libs: string;
const asked: string[] = [];

const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');

/**
 * Makes a signed token. The issuer accepts what the client asks for: the client's id becomes the
 * subject, and the requested scope becomes the audience.
 */
function sign(subject: string, audience: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'test', sub: subject, aud: audience, iat: now, exp: now + 3600 };
  const text = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(keys.privateKey, 'base64url')}`;
}

function startIssuer(): Promise<void> {
  issuer = createServer((request, response) => {
    let form = '';
    request.on('data', (more: Buffer) => (form += more.toString()));
    request.once('end', () => {
      const [, login = ''] = (request.headers.authorization ?? '').split(' ');
      const [id = '', secret = ''] = Buffer.from(login, 'base64').toString().split(':');
      asked.push(id);
      // id and secret are encoded like a form, in which a plus is a space (RFC 6749, 2.3.1)
      const isKnown = new URLSearchParams(`secret=${secret}`).get('secret') === SECRET;
      const audience = new URLSearchParams(form).get('scope') ?? 'kafka';
      const answer = isKnown
        ? { access_token: sign(id, audience), token_type: 'Bearer', expires_in: 3600 }
        : { error: 'invalid_client' };
      response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  return new Promise((resolve) => issuer.listen(0, '127.0.0.1', resolve));
}

/** Returns the broker's settings. Its validator reads the issuer's public keys from a file. */
function properties(controller: number): string {
  const oauth = 'listener.name.oauth.oauthbearer.';
  const handlers = 'org.apache.kafka.common.security.oauthbearer';
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
listeners=OAUTH://127.0.0.1:${port},INNER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=OAUTH://127.0.0.1:${port},INNER://127.0.0.1:${inner}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,OAUTH:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=${join(secured.folder, `${BROKER_NAME}.pem`)}
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
${oauth}sasl.jaas.config=${handlers}.OAuthBearerLoginModule required;
${oauth}sasl.server.callback.handler.class=${handlers}.OAuthBearerValidatorCallbackHandler
${oauth}sasl.oauthbearer.jwks.endpoint.url=file://${jwks}
${oauth}sasl.oauthbearer.expected.audience=kafka
${oauth}sasl.oauthbearer.expected.issuer=test
${oauth}connections.max.reauth.ms=${SESSION_MS}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:sluice
log.dirs=${join(folder, 'data')}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
${COMMON}`;
}

async function startBroker(): Promise<void> {
  [port, inner] = [await freePort(), await freePort()];
  const config = join(folder, 'kafka.properties');
  writeFileSync(config, properties(await freePort()));
  libs = await kafkaLibs(() => undefined);
  const java = ['-Xmx256m', ...JVM, '-cp', `${libs}/*`];
  const cluster = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', cluster];
  await run('java', [...java, ...format, '-c', config], {});
  const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwks}`;
  launch(home, { name: SERVICE, command: 'java', args: [allowed, ...java, 'kafka.Kafka', config] });
  await untilReady(home, SERVICE, async () => {
    const client = { brokers: [`127.0.0.1:${inner}`], logLevel: kafkajs.logLevel.NOTHING };
    const admin = new kafkajs.Kafka({ ...client, retry: { retries: 0 } }).admin();
    await admin.connect();
    await admin.disconnect();
    return true;
  });
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const key = keys.publicKey.export({ format: 'jwk' });
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...key, kid: 'one', alg: 'RS256', use: 'sig' }] }));
  await startIssuer();
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
  await startBroker();
});
afterAll(async () => {
  issuer.close();
  await stop(home, SERVICE);
});

const specOf = (clientId = 'sluice', scope?: string): KafkaSpec => ({
  brokers: [`127.0.0.1:${port}`],
  replication: 1,
  partitions: 1,
  tls: { ca: secured.ca },
  sasl: {
    mechanism: 'oauthbearer',
    token: { url, clientId, clientSecretFrom: { env: 'SLUICE_SECRET_KAFKA' }, scope },
  },
});

async function withPort<T>(
  use: (kafka: KafkaPort) => Promise<T>,
  spec = specOf(),
  secret = SECRET,
): Promise<T> {
  const kafka = new KafkaPort(spec, (ref) =>
    'file' in ref ? readFileSync(ref.file, 'utf8') : secret,
  );
  try {
    return await use(kafka);
  } finally {
    await kafka.disconnect();
  }
}

const failureOf = (spec: KafkaSpec, secret = SECRET): Promise<unknown> =>
  withPort((kafka) => kafka.listTopics(), spec, secret).catch((error: unknown) => error);

describe('a broker that requires tokens (OAUTHBEARER)', () => {
  it('lets the worker create, write and read a topic for longer than one session lasts', async () => {
    await withPort(async (kafka) => {
      await kafka.createTopic('tokens', 1, 1, {});
      const writer = kafka.openWriter();
      const until = Date.now() + 2.5 * SESSION_MS;
      let written = 0;
      for (; Date.now() < until; written += 1) {
        await writer.write('tokens', { key: `k${written}`, value: 'v' });
        await writer.flush();
        expect((await kafka.offsets('tokens'))[0]).toMatchObject({ high: written + 1 });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      let read = 0;
      await readTopic(kafka, 'tokens', () => (read += 1));
      expect(read).toBe(written);
    });
  });

  it('is named in the error if it refuses a token, and so is the issuer if it gives no token', async () => {
    expect(await failureOf(specOf('sluice', 'other'))).toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(/Kafka at .* refuses a token of .*: .*invalid/i) as string,
      remedy: expect.stringContaining('audience') as string,
    });
    expect(await failureOf(specOf(), 'wrong')).toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('gives sluice no token (401): invalid_client') as string,
    });
  });

  it("takes the token's subject as the principal, which needs ACLs", async () => {
    await withPort((kafka) => kafka.createTopic('guarded', 1, 1, {}));
    const denied = await withPort((kafka) => kafka.offsets('guarded'), specOf('stranger')).catch(
      (error: unknown) => error,
    );
    expect(denied).toMatchObject({ code: 'permission-denied' });
  });

  it("lets Kafka's own client log in with the properties that the connector gets", async () => {
    const file = join(folder, 'client.properties');
    const brokers = `bootstrap.servers=127.0.0.1:${port}\n`;
    const config = Object.entries(kafkaClientConfig(specOf()));
    const lines = config.map(([key, value]) => `${key}=${value}`).join('\n');
    writeFileSync(file, brokers + lines.replaceAll('${env:SLUICE_SECRET_KAFKA}', SECRET));
    const before = asked.length;
    const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${url}`;
    const java = [allowed, '-Xmx128m', ...JVM, '-cp', `${libs}/*`];
    await run('java', [...java, 'test/support/java/TopicMaker.java', file, 'by-java'], {});
    expect(asked.slice(before)).toContain('sluice');
    expect(await withPort((kafka) => kafka.listTopics())).toContain('by-java');
  });
});
