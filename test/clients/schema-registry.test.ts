// Tests how the client of the schema registry reports each answer, against the test's own server.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SchemaRegistry } from '../../src/clients/http/schema-registry.js';
import type { RegistrySpec } from '../../src/domain/migration/cluster-access.js';

const answers: { status: number; body: string }[] = [];
const asked: { url: string; login: string | undefined }[] = [];
const server = createServer((request, response) => {
  asked.push({ url: request.url!, login: request.headers.authorization });
  const { status, body } = answers.shift()!;
  response.writeHead(status).end(body);
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/apis/ccompat/v7`;
});
afterAll(() => server.close());

const registry = (more: Partial<RegistrySpec> = {}): SchemaRegistry =>
  new SchemaRegistry({ url, converter: 'apicurio', ...more }, () => 'secret word');
const answer = (status: number, body: object | string): void =>
  void answers.push({ status, body: typeof body === 'string' ? body : JSON.stringify(body) });

describe('the schema registry', () => {
  it('is asked once for each schema, with the login of the spec', async () => {
    const known = registry({ auth: { username: 'ann', passwordFrom: { env: 'P' } } });
    answer(200, { schema: '"string"' });
    expect([await known.schema(7, 'AVRO'), await known.schema(7, 'AVRO')]).toEqual([
      '"string"',
      '"string"',
    ]);
    expect(asked.splice(0)).toEqual([
      {
        url: '/apis/ccompat/v7/schemas/ids/7',
        login: `Basic ${Buffer.from('ann:secret word').toString('base64')}`,
      },
    ]);
  });

  it('is asked again for a schema that it did not have', async () => {
    const known = registry();
    answer(404, { error_code: 40403 });
    expect(await known.schema(7, 'AVRO')).toBe(null);
    answer(200, { schema: '"int"' });
    expect(await known.schema(7, 'AVRO')).toBe('"int"');
  });

  it.each([
    ['requires a login', {}, 401, '{}', 'permission-denied', /add kafka\.registry\.auth/],
    [
      'refuses the login',
      { auth: { tokenFrom: { env: 'T' } } },
      403,
      '{}',
      'permission-denied',
      /correct kafka\.registry\.auth/,
    ],
    ['fails', {}, 500, 'oops', 'unreachable', /continues by itself/],
    ['answers without a schema', {}, 200, '{}', 'unreachable', /correct kafka\.registry\.url/],
    ['is not a registry', {}, 200, '<html>', 'unreachable', /correct kafka\.registry\.url/],
    [
      'has a schema of a different format',
      {},
      200,
      '{"schema":"x","schemaType":"PROTOBUF"}',
      'unsupported',
      /correct the format of that topic.*kafka\.registry\.converter/,
    ],
  ] as const)(
    'causes an error with a remedy if it %s',
    async (_what, more, status, body, code, remedy) => {
      answer(status, body);
      const problem = { code, remedy: expect.stringMatching(remedy) as string };
      await expect(registry(more).schema(1, 'AVRO')).rejects.toMatchObject(problem);
    },
  );

  it('is named in the error with its URL, and without its secret, if it does not answer', async () => {
    const gone = registry({
      url: 'http://127.0.0.1:1/apis/ccompat/v7',
      auth: { username: 'ann', passwordFrom: { env: 'P' } },
    });
    const problem = await gone.schema(1, 'AVRO').catch((error: unknown) => error as Error);
    expect(problem).toMatchObject({ code: 'unreachable' });
    expect((problem as Error).message).toContain('http://127.0.0.1:1/apis/ccompat/v7');
    expect(JSON.stringify(problem)).not.toContain('secret word');
  });

  it('passes the check of doctor only if its answer is that of a registry', async () => {
    answer(200, []);
    await registry().check();
    answer(404, 'no such page');
    await expect(registry().check()).rejects.toMatchObject({
      remedy: expect.stringContaining('/apis/ccompat/v7') as string,
    });
  });
});
