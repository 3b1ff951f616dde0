// sluice codec-server: decrypts and encrypts payloads for Temporal's Web UI. The requests come from
// the browser of the person who uses the Web UI.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { loadConfig } from '../wiring/config.js';
import { listenAt } from '../wiring/http-listen.js';
import { CliError, EXIT, say } from './support/output.js';

const MOST_BYTES = 32 * 2 ** 20;

export interface CodecServerOptions {
  readonly listen: string;
  readonly origin: string;
}

/** Serves until it is interrupted. */
export async function codecServer({ listen, origin }: CodecServerOptions): Promise<number> {
  const { codec } = loadConfig();
  if (!codec)
    throw new CliError(
      EXIT.usage,
      'no-codec',
      'SLUICE_CODEC_KEYS is not set, so there is no codec',
    );
  const server = await serveCodec(codec, listen, origin);
  say(`codec server is ready at http://${listen} for ${origin}`);
  await once(server, 'close');
  return EXIT.ok;
}

/** Listens on `host:port`. A browser lets only pages of `origin` read the answers. */
export async function serveCodec(
  codec: PayloadCodec,
  listen: string,
  origin: string,
): Promise<Server> {
  const server = createServer((request, response) => {
    const headers = {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-namespace, authorization',
      'content-type': 'application/json',
    };
    void answerTo(request, codec, origin).then(({ status, body }) =>
      response.writeHead(status, headers).end(body),
    );
  });
  await listenAt(server, listen);
  return server;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function answerTo(
  request: IncomingMessage,
  codec: PayloadCodec,
  origin: string,
): Promise<Answer> {
  const verb = /\/(encode|decode)$/.exec(request.url ?? '')?.[1];
  if (request.headers.origin !== undefined && request.headers.origin !== origin)
    return { status: 403, body: JSON.stringify({ message: 'this origin is not allowed' }) };
  if (request.method === 'OPTIONS') return { status: 204, body: '' };
  if (request.method !== 'POST' || verb === undefined)
    return { status: 404, body: JSON.stringify({ message: 'POST /encode or /decode' }) };
  try {
    const { payloads } = JSON.parse(await bodyOf(request)) as { payloads: WirePayload[] };
    const given = payloads.map(fromWire);
    const found = await (verb === 'encode' ? codec.encode(given) : codec.decode(given));
    return { status: 200, body: JSON.stringify({ payloads: found.map(toWire) }) };
  } catch (error) {
    return { status: 400, body: JSON.stringify({ message: (error as Error).message }) };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the request has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A payload in JSON. Its bytes are encoded as base64. */
interface WirePayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

const fromWire = ({ metadata = {}, data = '' }: WirePayload): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  ),
  data: Buffer.from(data, 'base64'),
});

const toWire = ({ metadata, data }: Payload): WirePayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [
      name,
      Buffer.from(value).toString('base64'),
    ]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
