// Serves /metrics, /healthz and /readyz of the worker on one address.
import { createServer, type Server } from 'node:http';
import { createServer as createSocket, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Problem } from '../domain/failure.js';
import { listenAt } from './http-listen.js';

const SCRAPE_MS = 5000;

export interface EndpointSources {
  /**
   * Returns why the process can no longer work, or null. If it returns a reason, an orchestrator
   * restarts the process.
   */
  readonly dead: () => string | null;
  /** Returns why the process cannot work now, or null. */
  readonly unready: () => Promise<string | null>;
  /** Returns Sluice's metrics as text. */
  readonly metrics: () => Promise<string>;
  /** The local address at which Temporal's SDK serves its own metrics. */
  readonly temporalMetrics: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Listens on `host:port`. Throws Problem `spec-invalid` if the address cannot be used. */
export async function serveEndpoint(address: string, sources: EndpointSources): Promise<Server> {
  const server = createServer((request, response) => {
    void answerTo(request.url ?? '/', sources)
      .catch((error: unknown) => ({ status: 500, text: (error as Error).message }))
      .then(({ status, text }) =>
        response
          .writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(text),
      );
  });
  try {
    await listenAt(server, address);
  } catch (error) {
    throw new Problem(
      'spec-invalid',
      `SLUICE_HTTP_ADDRESS ${address} cannot be used: ${(error as Error).message}`,
      'choose another port, or stop the process that uses it',
    );
  }
  server.unref();
  return server;
}

async function answerTo(url: string, sources: EndpointSources): Promise<Answer> {
  const path = url.split('?')[0];
  if (path === '/healthz') return verdict(sources.dead());
  if (path === '/readyz') return verdict(sources.dead() ?? (await sources.unready()));
  if (path !== '/metrics') return { status: 404, text: 'try /metrics, /healthz or /readyz\n' };
  const [own, temporal] = await Promise.all([
    sources.metrics(),
    readTemporal(sources.temporalMetrics),
  ]);
  return { status: 200, text: own + temporal };
}

const verdict = (problem: string | null): Answer =>
  problem === null ? { status: 200, text: 'ok\n' } : { status: 503, text: `${problem}\n` };

/** Reads the SDK's metrics. If they cannot be read, /metrics contains only Sluice's metrics. */
async function readTemporal(address: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(SCRAPE_MS);
    return await (await fetch(`http://${address}/metrics`, { signal })).text();
  } catch {
    return '';
  }
}

/** Returns a local address with a free port, at which Temporal's SDK can serve its metrics. */
export async function freeAddress(): Promise<string> {
  const socket = createSocket().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return `127.0.0.1:${port}`;
}
