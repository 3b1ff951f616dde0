// Tests answers whose connection ends inside the body. A part of an answer must never count as the
// answer.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import { FlinkGateway } from '../../src/clients/http/flink-gateway.js';
import { KsqlDb } from '../../src/clients/http/ksqldb-rest.js';
import { getRoute } from '../../src/clients/http/route-http.js';
import { SchemaRegistry } from '../../src/clients/http/schema-registry.js';

/** The answers by path. A path without an answer gets a body that is cut off. */
let answers: Record<string, unknown> = {};
const server = createServer((request, response) => {
  const answer = answers[request.url!];
  if (answer !== undefined) return void response.end(JSON.stringify(answer));
  response.writeHead(200, { 'content-length': '100' }).write('{"re');
  setImmediate(() => request.socket.destroy());
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => void (answers = {}));
afterAll(() => server.close());

const secret = (): string => '';
const PAGES = '/v1/sessions/s/operations/o/result';
const SESSION = { '/v1/sessions': { sessionHandle: 's' } };
const STATEMENT = { ...SESSION, '/v1/sessions/s/statements': { operationHandle: 'o' } };
const FIRST = {
  resultType: 'PAYLOAD',
  results: { data: [{ fields: ['matched', 5] }] },
  nextResultUri: `${PAGES}/1`,
};
const LAST = { resultType: 'EOS', results: { data: [] } };

describe('an answer that is cut off', () => {
  it.each([
    ['a route', /GET http\S+\/route: /, () => getRoute(`${url}/route`)],
    [
      'Kafka Connect',
      /Kafka Connect at http\S+ does not answer GET \/: /,
      () => new ConnectRest(url).version(),
    ],
    [
      'a schema registry',
      /the schema registry at http\S+ does not answer GET \/schemas\/ids\/7: /,
      () => new SchemaRegistry({ url, converter: 'confluent' }, secret).schema(7, 'AVRO'),
    ],
    ['ksqlDB', /ksqlDB at http\S+ does not answer GET \/info: /, () => new KsqlDb(url).server()],
    [
      'the Flink SQL Gateway',
      /the Flink SQL Gateway at http\S+ does not answer: /,
      () => new FlinkGateway(url).info(),
    ],
  ])('makes %s count as unreachable, and the message has the URL', async (_what, message, ask) => {
    await expect(ask()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('a result of Flink', () => {
  const result = (): Promise<unknown> =>
    new FlinkGateway(url).session((session) => session.run('SELECT 1'));

  it('has the rows of all pages', async () => {
    answers = { ...STATEMENT, [`${PAGES}/0`]: FIRST, [`${PAGES}/1`]: LAST };
    expect(await result()).toEqual([['matched', 5]]);
  });

  it.each([
    ['is cut off', undefined],
    ['is an empty object', {}],
    ['has no rows', { resultType: 'PAYLOAD' }],
  ])(
    'is refused if a page %s, because rows of the result may be missing',
    async (_what, second) => {
      answers = { ...STATEMENT, [`${PAGES}/0`]: FIRST, [`${PAGES}/2`]: LAST };
      if (second) answers[`${PAGES}/1`] = second;
      await expect(result()).rejects.toMatchObject({ code: 'unreachable' });
    },
  );
});
