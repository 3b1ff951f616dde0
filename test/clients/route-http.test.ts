// Tests the route `http`, with which an external service switches the consumers. The test's own
// server is that service. Also tests the request with which Sluice pauses the batch.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getRoute, postAction, putRoute } from '../../src/clients/http/route-http.js';

interface Seen {
  readonly method: string | undefined;
  readonly body: unknown;
}
const seen: Seen[] = [];
let answer: { status: number; text: string; headers?: Record<string, string> } = {
  status: 200,
  text: '',
};
let url = '';
const server = createServer((request: IncomingMessage, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    seen.push({ method: request.method, body: text ? JSON.parse(text) : null });
    response.writeHead(answer.status, answer.headers).end(answer.text);
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/route?secret=s3cret`;
});
beforeEach(() => void (seen.length = 0));
afterAll(() => server.close());

describe('a route by HTTP', () => {
  it('receives each order with its side and number, and the same request if an order is repeated', async () => {
    answer = { status: 204, text: '' };
    const order = { migration: 'orders', side: 'stream', epoch: 1_000_003 } as const;
    await putRoute(url, order);
    await putRoute(url, order);
    expect(seen).toEqual([
      { method: 'PUT', body: order },
      { method: 'PUT', body: order },
    ]);
  });

  it('says which side it serves', async () => {
    answer = { status: 200, text: '{"side": "batch", "since": "yesterday"}' };
    expect(await getRoute(url)).toBe('batch');
  });

  it.each([
    ['no JSON', { status: 200, text: 'stream' }, 'route-unexpected'],
    ['JSON without a side', { status: 200, text: '{"side": "both"}' }, 'route-unexpected'],
    ['null', { status: 200, text: 'null' }, 'route-unexpected'],
    ['a refusal', { status: 403, text: 'no' }, 'route-unexpected'],
    ['a failure', { status: 503, text: 'later' }, 'unreachable'],
    [
      'a redirect',
      { status: 302, text: '', headers: { location: 'http://127.0.0.1:1/elsewhere' } },
      'unreachable',
    ],
  ])(
    'names no side if its service answers %s, and the error does not show the secret in the URL',
    async (_what, given, code) => {
      answer = given;
      await expect(getRoute(url)).rejects.toMatchObject({
        code,
        message: expect.not.stringContaining('s3cret') as string,
      });
    },
  );

  it('is unreachable if no server listens', async () => {
    await expect(
      putRoute('http://127.0.0.1:1/route', { migration: 'm', side: 'batch', epoch: 1 }),
    ).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a request to pause the batch by HTTP', () => {
  it('contains the action, and the time when the pause must end by itself', async () => {
    answer = { status: 200, text: 'ok' };
    await postAction(url, {
      migration: 'orders',
      action: 'pause',
      until: '2026-11-22T12:00:00.000Z',
    });
    expect(seen).toEqual([
      {
        method: 'POST',
        body: { migration: 'orders', action: 'pause', until: '2026-11-22T12:00:00.000Z' },
      },
    ]);
  });
});
