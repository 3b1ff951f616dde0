// Gets the tokens with which the worker logs in to Kafka (SASL OAUTHBEARER). They come from a token
// endpoint, or from a program that the worker's operator allows.
import { execFile } from 'node:child_process';
import { Problem } from '../../domain/failure.js';
import type { TokenEndpoint, TokenOrigin } from '../../domain/migration/cluster-access.js';
import { errorText } from '../../domain/values/error-text.js';
import { quoteForeign } from '../../domain/values/foreign-text.js';
import { httpAccess, send, type HttpAnswer } from '../http/http-access.js';
import type { ResolveSecret } from '../postgres/connection.js';
import { tlsTrouble } from '../tls-trouble.js';

const TIMEOUT_MS = 10_000;
const COMMAND_MS = 30_000;
const MAX_BYTES = 64 * 1024;
/**
 * A token that expires within this time is not used again, because the broker checks it a little
 * later.
 */
const RESERVE_MS = 15_000;

/**
 * A token as its issuer gave it. `expiresAt` is in milliseconds since 1970, or null if the issuer
 * did not state it.
 */
interface Issued {
  readonly value: string;
  readonly expiresAt: number | null;
}

export class TokenSource {
  readonly #origin: TokenOrigin;
  readonly #hosts: readonly string[];
  readonly #secret: ResolveSecret;
  #held: Issued | null = null;
  #asked: Promise<Issued> | null = null;

  /** The token will be sent to `hosts`. */
  constructor(origin: TokenOrigin, hosts: readonly string[], secret: ResolveSecret) {
    this.#origin = origin;
    this.#hosts = hosts;
    this.#secret = secret;
  }

  /**
   * Returns a token that has not expired, as far as its expiry is known. Throws Problem
   * `permission-denied` or `unreachable` with the issuer's reason, but without a token.
   */
  async token(): Promise<string> {
    const held = this.#held;
    if (held?.expiresAt && held.expiresAt - RESERVE_MS > Date.now()) return held.value;
    this.#asked ??= this.#ask().finally(() => (this.#asked = null));
    this.#held = await this.#asked;
    return this.#held.value;
  }

  async #ask(): Promise<Issued> {
    const origin = this.#origin;
    const issuer = issuerOf(origin);
    const text =
      'command' in origin
        ? await this.#run(origin.command)
        : await fromEndpoint(origin, this.#secret);
    const issued = 'command' in origin ? printed(text, issuer) : granted(text, issuer);
    refuseWrongTime(issued, issuer);
    return issued;
  }

  /** Runs the program without arguments and without a shell, because a spec chooses the program. */
  #run(command: string): Promise<string> {
    const program = this.#secret({ file: command }, this.#hosts, 'run');
    return new Promise((resolve, reject) => {
      const options = { timeout: COMMAND_MS, maxBuffer: MAX_BYTES };
      execFile(program, [], options, (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const { code } = error as { code?: unknown };
        const why = error.killed ? `no answer within ${COMMAND_MS / 1000} s` : String(code);
        const said = stderr.trim() === '' ? '' : `: ${quoteForeign(stderr.trim())}`;
        reject(
          new Problem(
            'permission-denied',
            `${issuerOf({ command })} failed (${why})${said}`,
            'correct the program or its environment on the worker, then: sluice retry',
          ),
        );
      });
    });
  }
}

const issuerOf = (origin: TokenOrigin): string =>
  'command' in origin ? `the token command ${origin.command}` : `the token endpoint ${origin.url}`;

/** Asks for a token with the client's own credentials (RFC 6749, section 4.4). */
async function fromEndpoint(origin: TokenEndpoint, secret: ResolveSecret): Promise<string> {
  const { url, clientId, clientSecretFrom, scope, ca } = origin;
  const issuer = issuerOf(origin);
  const password = secret(clientSecretFrom, [new URL(url).hostname]);
  const login = [clientId, password].map(encodeURIComponent).join(':');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
  });
  const request = {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  let answer: HttpAnswer;
  try {
    const access = httpAccess(url, { tls: ca === undefined ? undefined : { ca } }, secret);
    const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
    answer = await send(url, request, { ...access, authorization });
  } catch (error) {
    if (error instanceof Problem) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw (
      tlsTrouble(cause, { server: issuer, field: 'kafka.sasl.token', ca }) ??
      new Problem(
        'unreachable',
        `${issuer} does not answer: ${errorText(cause)}`,
        'start the issuer again, or correct kafka.sasl.token.url; the migration continues by itself, or at once with: sluice retry',
      )
    );
  }
  if (answer.ok) return answer.text;
  if (answer.status >= 500) throw new Problem('unreachable', `${issuer} answers ${answer.status}`);
  throw new Problem(
    'permission-denied',
    `${issuer} gives ${clientId} no token (${answer.status})${refusal(answer.text)}`,
    'correct kafka.sasl.token (clientId, scope, and the secret in clientSecretFrom), then: sluice retry',
  );
}

/**
 * Returns only the members `error` and `error_description` of a refusal (RFC 6749), because other
 * members could contain a secret.
 */
function refusal(text: string): string {
  try {
    const { error, error_description: why } = JSON.parse(text) as Record<string, unknown>;
    const said = [error, why].filter((part): part is string => typeof part === 'string');
    return said.map((part) => `: ${quoteForeign(part)}`).join('');
  } catch {
    return '';
  }
}

const noToken = (issuer: string): Problem =>
  new Problem(
    'permission-denied',
    `${issuer} answers without a token`,
    'make it answer with { "access_token": ..., "expires_in": seconds }; a command may also print only the token',
  );

/** Reads the answer of an endpoint: `access_token`, and `expires_in` in seconds. */
function granted(text: string, issuer: string): Issued {
  let answer: { access_token?: unknown; expires_in?: unknown } | null;
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw noToken(issuer);
  }
  const { access_token: value, expires_in: seconds } = answer ?? {};
  if (typeof value !== 'string' || !isToken(value)) throw noToken(issuer);
  const stated = expiryIn(value);
  const lasts = seconds === undefined ? null : Date.now() + Number(seconds) * 1000;
  return { value, expiresAt: stated ?? (Number.isNaN(lasts) ? null : lasts) };
}

/** Reads the output of a command: the answer of an endpoint, or only the token. */
function printed(text: string, issuer: string): Issued {
  const value = text.trim();
  if (value.startsWith('{')) return granted(value, issuer);
  if (!isToken(value)) throw noToken(issuer);
  return { value, expiresAt: expiryIn(value) };
}

/**
 * Allows only characters that cannot end the token's field and add another field to the login
 * message.
 */
const isToken = (value: string): boolean => /^[A-Za-z0-9._~+/=-]+$/.test(value);

interface Claims {
  readonly exp?: unknown;
  readonly nbf?: unknown;
}

/**
 * Returns the claims of a JSON Web Token. Returns null for any other kind of token, because only
 * its issuer can read it.
 */
function claimsOf(token: string): Claims | null {
  const [, payload, ...rest] = token.split('.');
  if (payload === undefined || rest.length !== 1) return null;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims | null;
  } catch {
    return null;
  }
}

function expiryIn(token: string): number | null {
  const exp = claimsOf(token)?.exp;
  return typeof exp === 'number' ? exp * 1000 : null;
}

/** Throws Problem `permission-denied` for a token that has expired, or that is not valid yet. */
function refuseWrongTime({ value, expiresAt }: Issued, issuer: string): void {
  const now = Date.now();
  const remedy =
    "compare the clocks of the issuer and of this machine, and correct the issuer's lifetime of tokens, then: sluice retry";
  if (expiresAt !== null && expiresAt <= now)
    throw new Problem(
      'permission-denied',
      `${issuer} gives tokens that have expired: this token expired at ${new Date(expiresAt).toISOString()}, and this machine's time is ${new Date(now).toISOString()}`,
      remedy,
    );
  const nbf = claimsOf(value)?.nbf;
  // The clocks may differ a little. If a token becomes valid within a minute, the broker decides
  // whether to accept it.
  if (typeof nbf === 'number' && nbf * 1000 > now + 60_000)
    throw new Problem(
      'permission-denied',
      `${issuer} gives tokens that are not valid before ${new Date(nbf * 1000).toISOString()}, and this machine's time is ${new Date(now).toISOString()}`,
      remedy,
    );
}
