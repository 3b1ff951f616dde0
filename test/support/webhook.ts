// Runs a webhook on a real HTTP server, which keeps the requests that it gets.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Hook {
  readonly url: string;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** The status codes of the next answers. Afterwards it answers 200. */
  readonly answers: number[];
  readonly close: () => void;
}

export async function aHook(): Promise<Hook> {
  const requests: Hook['requests'] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ headers: request.headers, body });
      response.writeHead(answers.shift() ?? 200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/services/SECRET`,
    requests,
    answers,
    close: () => void server.close(),
  };
}
