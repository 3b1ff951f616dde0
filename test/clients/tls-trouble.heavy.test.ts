// Tests that a message about a wrong certificate or a refused login names the cause and the remedy.
// Also tests the logins and the client certificate that a spec names. Most of the test's servers
// use TLS with certificates of a private authority.
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { createServer as createPlain, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { httpAccess } from '../../src/clients/http/http-access.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { Login, TlsFiles } from '../../src/domain/migration/cluster-access.js';
import type { SecretRef } from '../../src/domain/migration/spec.js';
import { makeAuthority, makeCertificate } from '../../stack/certificates.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder('sluice-tls-');
const file = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(file(name), 'utf8');
const NAMES = ['DNS:localhost', 'IP:127.0.0.1'];
const servers: Server[] = [];
const secret = (ref: SecretRef): string =>
  'file' in ref ? readFileSync(ref.file, 'utf8') : 's3cret';

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const options = (name: string, more: TlsOptions = {}): TlsOptions => ({
  cert: text(`${name}.crt`),
  key: text(`${name}.key`),
  ...more,
});
const WITH_CLIENTS = { requestCert: true, rejectUnauthorized: true };

beforeAll(() => {
  makeAuthority(folder);
  makeAuthority(folder, 'other');
  makeCertificate(folder, 'server', { names: NAMES });
  makeCertificate(folder, 'expired', { names: NAMES, days: -1 });
  makeCertificate(folder, 'elsewhere', { names: ['DNS:broker.internal'] });
  makeCertificate(folder, 'client');
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Case {
  readonly problem: string;
  readonly server: string;
  readonly ca: string | undefined;
  readonly says: RegExp;
  readonly remedy: RegExp;
}

const CASES: readonly Case[] = [
  {
    problem: 'a CA that did not sign the certificate',
    server: 'server',
    ca: 'other.crt',
    says: /is not signed by .*(other\.crt|connector\.tls\.ca)/,
    remedy: /set (kafka|connector)\.tls\.ca to the CA that signed it/,
  },
  {
    problem: 'a missing CA',
    server: 'server',
    ca: undefined,
    says: /is not signed by a CA of this system/,
    remedy: /\.tls\.ca/,
  },
  {
    problem: 'an expired certificate',
    server: 'expired',
    ca: 'ca.crt',
    says: /has expired/,
    remedy: /renew the certificate/,
  },
  {
    problem: 'a certificate for a different name',
    server: 'elsewhere',
    ca: 'ca.crt',
    says: /is for another name: .*broker\.internal/,
    remedy: /subjectAltName/,
  },
];

const kafkaOn = (port: number, tls: boolean | TlsFiles): KafkaPort =>
  new KafkaPort({ brokers: [`localhost:${port}`], replication: 1, partitions: 1, tls }, (ref) =>
    secret(ref),
  );

/** Resolves to the error of the first call to the brokers. */
async function kafkaError(port: number, tls: boolean | TlsFiles): Promise<unknown> {
  const kafka = kafkaOn(port, tls);
  try {
    return await kafka.listTopics().catch((error: unknown) => error);
  } finally {
    await kafka.disconnect();
  }
}

describe('a connection to Kafka', () => {
  it.each(CASES)(
    'fails with an error that names $problem',
    async ({ server, ca, says, remedy }) => {
      const port = await listening(createTls(options(server)));
      const tls = ca === undefined ? true : { ca: file(ca) };
      const error = await kafkaError(port, tls);
      expect(error).toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(says) as string,
        remedy: expect.stringMatching(remedy) as string,
      });
      expect((error as Error).message).toContain(`localhost:${port}`);
    },
  );

  it('says so if the port does not use TLS', async () => {
    const port = await listening(createPlain((socket) => socket.end('no TLS here')));
    expect(await kafkaError(port, { ca: file('ca.crt') })).toMatchObject({
      message: expect.stringContaining('does not speak TLS on this port') as string,
    });
  });

  it('proposes TLS or a login if the brokers close the connection', async () => {
    const port = await listening(createPlain((socket) => socket.destroy()));
    expect(await kafkaError(port, false)).toMatchObject({
      code: 'unreachable',
      remedy: expect.stringContaining('add kafka.tls or kafka.sasl') as string,
    });
  });

  it('names a CA file that contains no certificate, and does not show its content', async () => {
    expect(() => kafkaOn(1, { ca: file('client.key') })).toThrow(
      `cannot use the certificate ${file('client.key')}: it contains no PEM certificate`,
    );
  });
});

const connectOn = (port: number, tls?: TlsFiles, auth?: Login): ConnectRest => {
  const url = `https://localhost:${port}`;
  return new ConnectRest(url, undefined, httpAccess(url, { tls, auth }, secret));
};

describe("a connection to Kafka Connect's REST API", () => {
  it.each(CASES)(
    'fails with an error that names $problem',
    async ({ server, ca, says, remedy }) => {
      const port = await listening(createHttps(options(server)));
      const connect = connectOn(port, ca === undefined ? undefined : { ca: file(ca) });
      await expect(connect.version()).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(says) as string,
        remedy: expect.stringMatching(remedy) as string,
      });
    },
  );

  it.each([
    ['basic', { username: 'ann', passwordFrom: { env: 'X' } }, `Basic ${btoa('ann:s3cret')}`],
    ['bearer', { tokenFrom: { env: 'X' } }, 'Bearer s3cret'],
  ] as const)('logs in with %s authentication', async (_name, auth, header) => {
    const asked: (string | undefined)[] = [];
    const server = createHttps(options('server'), (request, response) => {
      asked.push(request.headers.authorization);
      response.end('{"version":"4.3.1"}');
    });
    const port = await listening(server);
    expect(await connectOn(port, { ca: file('ca.crt') }, auth).version()).toBe('4.3.1');
    expect(asked).toEqual([header]);
  });

  it('sends the client certificate of the spec, and asks for one if the spec names none', async () => {
    const ca = { ca: text('ca.crt') };
    const server = createHttps(options('server', { ...WITH_CLIENTS, ...ca }), (_, response) =>
      response.end('{"version":"4.3.1"}'),
    );
    const port = await listening(server);
    const own = { ca: file('ca.crt'), cert: file('client.crt'), key: file('client.key') };
    expect(await connectOn(port, own).version()).toBe('4.3.1');
    await expect(connectOn(port, { ca: file('ca.crt') }).version()).rejects.toMatchObject({
      message: expect.stringContaining('refused the client certificate') as string,
      remedy: expect.stringContaining('connector.tls.cert') as string,
    });
  });

  it.each([
    ['no login', undefined, /requires a login .*no connector\.auth/, /add connector\.auth/],
    ['a wrong login', { tokenFrom: { env: 'X' } }, /refuses the login/, /correct connector\.auth/],
  ] as const)(
    'fails with an error about the login if the spec has %s',
    async (_name, auth, says, remedy) => {
      const server = createHttps(options('server'), (_, response) => {
        response.writeHead(401).end('<html>s3cret</html>');
      });
      const port = await listening(server);
      await expect(connectOn(port, { ca: file('ca.crt') }, auth).version()).rejects.toMatchObject({
        code: 'permission-denied',
        message: expect.stringMatching(says) as string,
        remedy: expect.stringMatching(remedy) as string,
      });
    },
  );
});
