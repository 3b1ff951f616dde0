// Tests how the worker gets the tokens for OAUTHBEARER, and what it reports if an issuer gives no
// usable token.
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenSource } from '../../src/clients/kafka/oauth-token.js';
import type { TokenOrigin } from '../../src/domain/migration/cluster-access.js';
import { allowCommand } from '../../src/wiring/secrets.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder('sluice-token-');
const asked: { authorization: string | undefined; form: string }[] = [];
let answer: { status: number; body: string };
let server: Server;
let url: string;

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
};

beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((form) => {
      asked.push({ authorization: request.headers.authorization, form });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const seconds = (): number => Math.floor(Date.now() / 1000);
const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');
const jwt = (claims: object): string => `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
const grant = (token: unknown, more: object = {}): void => {
  answer = { status: 200, body: JSON.stringify({ access_token: token, ...more }) };
};

const endpoint = (more: object = {}): TokenOrigin => ({
  url,
  clientId: 'sluice',
  clientSecretFrom: { env: 'SLUICE_SECRET_KAFKA' },
  ...more,
});
const source = (origin: TokenOrigin = endpoint()): TokenSource =>
  new TokenSource(origin, ['kafka.internal'], () => 'p@ss:word');
const fails = (tokens: TokenSource): Promise<unknown> =>
  tokens.token().then(
    () => 'no failure',
    (error: unknown) => error,
  );
const problem = (code: string, message: RegExp, remedy: RegExp): unknown =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message) as string,
    remedy: expect.stringMatching(remedy) as string,
  });

describe('a token endpoint', () => {
  it("gets the client's encoded id and secret, and the scope", async () => {
    grant(jwt({ exp: seconds() + 3600 }));
    await source(endpoint({ clientId: 'a b', scope: 'kafka' })).token();
    const { authorization, form } = asked.at(-1)!;
    expect(Buffer.from(authorization!.slice('Basic '.length), 'base64').toString()).toBe(
      'a%20b:p%40ss%3Aword',
    );
    expect(form).toBe('grant_type=client_credentials&scope=kafka');
  });

  it('is asked only once while a token lasts, and again if the token soon expires', async () => {
    const before = asked.length;
    grant(jwt({ exp: seconds() + 3600 }));
    const lasting = source();
    expect(await lasting.token()).toBe(await lasting.token());
    await Promise.all([source().token(), lasting.token()]);
    expect(asked.length).toBe(before + 2);
    grant('opaque', { expires_in: 3 });
    const short = source();
    await short.token();
    await short.token();
    expect(asked.length).toBe(before + 4);
  });

  it.each([
    ['in the token itself', () => grant(jwt({ exp: seconds() - 60 }))],
    ['beside the token', () => grant('opaque', { expires_in: 0 })],
  ])(
    'is named in the error if its tokens have expired, according to the time %s',
    async (_where, give) => {
      give();
      expect(await fails(source())).toEqual(
        problem(
          'permission-denied',
          /127\.0\.0\.1:\d+\/token gives tokens that have expired/,
          /clock/,
        ),
      );
    },
  );

  it('is named in the error if its tokens are not valid yet', async () => {
    grant(jwt({ exp: seconds() + 9000, nbf: seconds() + 3600 }));
    expect(await fails(source())).toEqual(
      problem('permission-denied', /not valid before/, /clock/),
    );
  });

  it('is named in the error with its reason, and without the secret, if it refuses the client', async () => {
    const said = { error: 'invalid_client', error_description: 'unknown', echo: 'p@ss:word' };
    answer = { status: 401, body: JSON.stringify(said) };
    const failure = await fails(source());
    expect(failure).toEqual(
      problem(
        'permission-denied',
        /gives sluice no token \(401\): invalid_client: unknown$/,
        /clientSecretFrom/,
      ),
    );
    expect(JSON.stringify(failure)).not.toContain('p@ss');
  });

  it('is named in the error if it does not answer, is broken, or returns no usable token', async () => {
    answer = { status: 503, body: '' };
    expect(await fails(source())).toMatchObject({ code: 'unreachable' });
    answer = { status: 200, body: '<html>' };
    expect(await fails(source())).toEqual(
      problem('permission-denied', /without a token/, /access_token/),
    );
    grant('a\u0001auth=Bearer b');
    expect(await fails(source())).toMatchObject({ code: 'permission-denied' });
    expect(await fails(source(endpoint({ url: 'http://127.0.0.1:1/token' })))).toEqual(
      problem('unreachable', /127\.0\.0\.1:1\/token does not answer/, /kafka\.sasl\.token\.url/),
    );
  });
});

describe('a token command', () => {
  const program = (name: string, script: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o700);
    return path;
  };
  const env = (path: string) => ({ SLUICE_SECRETS: `command:${path}@*.internal` });
  const run = (path: string, host = 'kafka.internal', allowed = path): TokenSource =>
    new TokenSource({ command: path }, [host], (ref, hosts) =>
      allowCommand('file' in ref ? ref.file : '', hosts, env(allowed)),
    );

  it('may print a token or an answer like that of an endpoint, and is named if the token has expired', async () => {
    const token = jwt({ exp: seconds() + 3600 });
    expect(await run(program('plain', `echo ${token}`)).token()).toBe(token);
    const answered = JSON.stringify({ access_token: 'opaque', expires_in: 900 });
    expect(await run(program('json', `echo '${answered}'`)).token()).toBe('opaque');
    expect(await fails(run(program('old', `echo ${jwt({ exp: 1 })}`)))).toEqual(
      problem(
        'permission-denied',
        /the token command .*old gives tokens that have expired/,
        /clock/,
      ),
    );
  });

  it('is named in the error, with its output, if it fails', async () => {
    expect(await fails(run(program('broken', 'echo no role >&2; exit 3')))).toEqual(
      problem(
        'permission-denied',
        /the token command .*broken failed \(3\): no role/,
        /environment/,
      ),
    );
  });

  it("runs only if the operator allows exactly this program for the broker's host", async () => {
    const path = program('mine', 'echo opaque');
    const why = problem(
      'permission-denied',
      /the program .* (must not be|SLUICE_SECRETS)/,
      /command:/,
    );
    expect(await fails(run(path, 'kafka.internal', join(folder, 'other')))).toEqual(why);
    expect(await fails(run(path, 'evil.example'))).toEqual(why);
    expect(() => allowCommand(path, ['localhost'], {})).toThrow('SLUICE_SECRETS');
  });
});
