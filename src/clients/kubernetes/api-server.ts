// Calls the Kubernetes API: gets, creates, patches and deletes objects, asks for reviews, and
// explains refusals. A patch names the version of the object that the caller has read. The server
// therefore refuses it if another client has changed the object meanwhile.
import { Problem } from '../../domain/failure.js';
import { errorText } from '../../domain/values/error-text.js';
import { quoteForeign, withoutValues } from '../../domain/values/foreign-text.js';
import { send, type HttpAnswer } from '../http/http-access.js';
import { answered } from '../progress.js';
import { tlsTrouble } from '../tls-trouble.js';
import type { ApiAccess } from './api-access.js';

/** The object `Status`, with which the API server explains an error. */
interface ApiStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly kind?: string };
}

interface Asked {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly mediaType?: string;
}

interface Answer extends Asked {
  readonly url: string;
  readonly status: number;
  /** The parsed body. Null if the body is not JSON. */
  readonly said: unknown;
  readonly tokenOf: string | undefined;
}

const TIMEOUT_MS = 10_000;
/** Makes the server refuse unknown fields, which it would otherwise drop without an error. */
const STRICT = 'fieldValidation=Strict&fieldManager=sluice';

export class ApiServer {
  readonly #access: () => ApiAccess;

  /** `access` is called for each request, because tokens are replaced. */
  constructor(access: () => ApiAccess) {
    this.#access = access;
  }

  /** Returns the object at a path that ends with its name. Returns null if it does not exist. */
  async get<T>(path: string): Promise<T | null> {
    const answer = await this.#send({ method: 'GET', path });
    return isMissing(answer) ? null : (demand(answer) as T);
  }

  async create<T>(path: string, body: object, options = ''): Promise<T> {
    return demand(
      await this.#send({ method: 'POST', path: `${path}?${STRICT}${options}`, body }),
    ) as T;
  }

  /** Posts an object that the server only answers and does not store, such as an access review. */
  async ask<T>(path: string, body: object): Promise<T> {
    return demand(await this.#send({ method: 'POST', path, body })) as T;
  }

  /**
   * Merges `patch` into the object. Returns null if the object does not exist, and `changed` if
   * another client has changed it since the version in the patch.
   */
  async patch<T>(path: string, patch: object): Promise<T | 'changed' | null> {
    const answer = await this.#send({
      method: 'PATCH',
      path: `${path}?${STRICT}`,
      body: patch,
      mediaType: 'application/merge-patch+json',
    });
    if (isMissing(answer)) return null;
    return reasonOf(answer) === 'Conflict' ? 'changed' : (demand(answer) as T);
  }

  /**
   * Deletes exactly the object with this uid, and not a later object of the same name. Returns
   * false if the object with this uid is already gone. After `true`, the object may still exist
   * until its finalizers are done.
   */
  async delete(path: string, uid: string): Promise<boolean> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const answer = await this.#send({ method: 'DELETE', path, body });
    if (isMissing(answer) || reasonOf(answer) === 'Conflict') return false;
    demand(answer);
    return true;
  }

  async #send(asked: Asked): Promise<Answer> {
    const { method, path, body, mediaType = 'application/json' } = asked;
    const { url, http, tokenOf } = this.#access();
    const request = {
      method,
      headers: { accept: 'application/json', ...(body ? { 'content-type': mediaType } : {}) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    let response: HttpAnswer;
    try {
      response = await answered(send(`${url}${path}`, request, http));
    } catch (error) {
      throw unanswered(error, url, asked);
    }
    return { ...asked, url, tokenOf, status: response.status, said: json(response.text) };
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const statusOf = ({ said }: Answer): ApiStatus => said ?? {};
const reasonOf = (answer: Answer): string | undefined =>
  answer.status === 409 ? (statusOf(answer).reason ?? 'Conflict') : undefined;

/**
 * Returns whether the object at the path does not exist. The server also answers 404 if it does not
 * know the kind of object, but then its answer names no object.
 */
function isMissing(answer: Answer): boolean {
  const name = decodeURIComponent(answer.path.split('?')[0]!.split('/').at(-1)!);
  return answer.status === 404 && statusOf(answer).details?.name === name;
}

function unanswered(error: unknown, url: string, { method, path }: Asked): Problem {
  if (error instanceof Problem) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const leg = { server: `the Kubernetes API at ${url}`, field: 'connector.strimzi', ca: undefined };
  return (
    tlsTrouble(cause, leg) ??
    new Problem(
      'unreachable',
      `the Kubernetes API at ${url} does not answer ${method} ${path}: ${errorText(cause)}`,
    )
  );
}

/** Returns the body of a successful answer. Throws a Problem for any other answer. */
function demand(answer: Answer): unknown {
  const { status, said, url, method, tokenOf } = answer;
  const path = answer.path.split('?')[0]!;
  if (status >= 200 && status < 300 && said !== null) return said;
  const { reason, message } = statusOf(answer);
  const why = quoteForeign(withoutValues(message ?? 'no reason given'), 400);
  const request = `${method} ${path}: ${status}`;
  if (status === 401)
    throw new Problem(
      'permission-denied',
      `the Kubernetes API at ${url} ${tokenOf === undefined ? 'requires a token' : `does not accept the token of ${tokenOf}`} (${request})`,
      tokenOf === undefined
        ? 'add connector.strimzi.tokenFrom; then: sluice retry'
        : 'renew the token, because it is wrong or has expired; then: sluice retry',
    );
  if (status === 403)
    throw new Problem(
      'permission-denied',
      `Kubernetes denies ${request}: ${why}`,
      'create the Role that sluice plan prints, and bind it to the login that the message names; then: sluice retry',
    );
  if (status === 404)
    throw new Problem(
      'unreachable',
      `the Kubernetes API at ${url} does not know ${path}: ${why}`,
      'check that the namespace exists, and that Strimzi with its CRDs of version kafka.strimzi.io/v1 is installed',
    );
  if (status === 409 && reason === 'AlreadyExists')
    throw new Problem('object-not-ours', `Kubernetes ${request}: ${why}`);
  if (said === null || !isStatus(said))
    throw new Problem(
      'unreachable',
      `the server that answered ${method} ${url}${path} with ${status} is not a Kubernetes API`,
      'correct connector.strimzi.apiServer; then: sluice retry',
    );
  const isRefused = status === 400 || status === 422;
  throw new Problem(isRefused ? 'connector-failed' : 'unreachable', `Kubernetes ${request} ${why}`);
}

const isStatus = (said: unknown): boolean => (said as { kind?: unknown }).kind === 'Status';
