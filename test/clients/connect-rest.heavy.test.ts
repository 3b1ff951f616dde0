// Tests how the client of Kafka Connect reads 404 answers, rebalances, and other servers' answers.
// Also tests the remedy if Connect can no longer fence the predecessors ("zombies") of a task. The
// test's own server gives all answers.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';

const STUCK_FENCING =
  'The start() method must be invoked before adding callbacks for this zombie fencing';
const REBALANCE = 'Request cannot be completed because a rebalance is expected';
const answers: { status: number; body: unknown }[] = [];
const server = createServer((_request, response) => {
  const { status, body } = answers.shift()!;
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
});
let connect: ConnectRest;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  connect = new ConnectRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => server.close());

describe('a connector that Kafka Connect does not show', () => {
  it.each(['Connector orders not found', 'No status found for connector orders'])(
    'is missing if Kafka Connect says so: %s',
    async (message) => {
      answers.push({ status: 404, body: { error_code: 404, message } });
      expect(await connect.config('orders')).toBe(null);
    },
  );

  it.each([
    ['the HTML of a worker that is still starting', '<html><title>Error 404</title></html>'],
    [
      'the message for a path that Kafka Connect does not serve',
      { error_code: 404, message: 'HTTP 404 Not Found' },
    ],
    ['the JSON of a proxy', { error: 'no route' }],
    ['an empty body', ''],
    ['the body null', 'null'],
  ])('does not count as missing after a 404 with %s', async (_what, body) => {
    for (const ask of [
      () => connect.config('orders'),
      () => connect.status('orders'),
      () => connect.stop('orders'),
      () => connect.offsets('orders'),
      () => connect.delete('orders'),
    ]) {
      answers.push({ status: 404, body });
      await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
    }
    expect(answers).toEqual([]);
  });
});

describe('a request to Kafka Connect', () => {
  it.each([409, 500])('is sent again if the workers rebalance (status %i)', async (status) => {
    answers.push({ status, body: { error_code: status, message: REBALANCE } });
    answers.push({ status: 200, body: { name: 'orders' } });
    expect(await connect.config('orders')).toEqual({ name: 'orders' });
    expect(answers).toEqual([]);
  });

  it('fails at once if the server returns an error other than a rebalance', async () => {
    answers.push({ status: 500, body: { error_code: 500, message: 'out of memory' } });
    await expect(connect.config('orders')).rejects.toMatchObject({ code: 'unreachable' });
    expect(answers).toEqual([]);
  });

  it("names the restart of Connect as the remedy if Connect's zombie fencing is stuck", async () => {
    answers.push({ status: 500, body: { error_code: 500, message: STUCK_FENCING } });
    await expect(connect.deleteOffsets('orders')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(STUCK_FENCING) as string,
      remedy: expect.stringMatching(/Restart that worker, or all Connect workers/) as string,
    });
    expect(answers).toEqual([]);
  });

  it.each([
    ['text', '<html>'],
    ['JSON of a different kind', { name: 'search' }],
    ['no object', 'null'],
  ])('names the URL if another server answers with %s', async (_what, body) => {
    answers.push({ status: 200, body });
    await expect(connect.version()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/answered GET http.*\/ is not Kafka Connect/) as string,
      remedy: expect.stringContaining('correct connector.url') as string,
    });
  });
});
