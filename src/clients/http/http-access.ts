// Sends requests to an HTTP server that may need a private CA, a client certificate or a login.
import { request } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { tlsOptions, type ReadSecret } from '../tls-files.js';
import type { Login, TlsFiles } from '../../domain/migration/cluster-access.js';

export interface HttpAccess {
  /** The value of the header `authorization`. */
  readonly authorization?: string;
  readonly tls?: ConnectionOptions;
}

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** A whole answer: its body has been read to its end. */
export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

/**
 * Reads the secrets for a server that a spec names. Throws Problem `permission-denied` if a secret
 * does not exist, or if it must not be sent to that server.
 */
export function httpAccess(
  url: string,
  { tls, auth }: { readonly tls?: TlsFiles | undefined; readonly auth?: Login | undefined },
  secret: ReadSecret,
): HttpAccess {
  const hosts = [new URL(url).hostname];
  return {
    ...(tls && url.startsWith('https:') ? { tls: tlsOptions(tls, secret, hosts) } : {}),
    ...(auth ? { authorization: authorization(auth, secret, hosts) } : {}),
  };
}

function authorization(auth: Login, secret: ReadSecret, hosts: readonly string[]): string {
  if ('tokenFrom' in auth) return `Bearer ${secret(auth.tokenFrom, hosts)}`;
  const login = `${auth.username}:${secret(auth.passwordFrom, hosts)}`;
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

/**
 * Reads an answer to its end. Rejects if the connection fails while the body arrives, so that a
 * part of an answer never counts as the answer.
 */
export async function wholeAnswer(begun: Promise<Response>): Promise<HttpAnswer> {
  const response = await begun;
  const { ok, status } = response;
  return { ok, status, text: await response.text() };
}

/**
 * Sends a request without following redirects, and reads the whole answer. If the connection fails,
 * rejects with its error.
 */
export function send(url: string, asked: HttpRequest, access: HttpAccess): Promise<HttpAnswer> {
  const { method, body, signal } = asked;
  const headers = {
    ...asked.headers,
    ...(access.authorization ? { authorization: access.authorization } : {}),
  };
  return access.tls === undefined
    ? wholeAnswer(
        fetch(url, { method, headers, signal, redirect: 'error', ...(body ? { body } : {}) }),
      )
    : overTls(url, { ...asked, headers }, access.tls);
}

/** Sends a request with private certificates, which the built-in `fetch` cannot use. */
function overTls(
  url: string,
  { method, headers, body, signal }: HttpRequest,
  tls: ConnectionOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...tls, method, headers, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status = 0 } = response;
        const text = Buffer.concat(parts).toString();
        resolve({ status, ok: status >= 200 && status < 300, text });
      });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
