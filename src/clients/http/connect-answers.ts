// Explains error answers of Kafka Connect's REST API, and answers of a server that is not Kafka
// Connect.
import { Problem } from '../../domain/failure.js';
import { quoteForeign, withoutValues } from '../../domain/values/foreign-text.js';
import type { HttpAccess } from './http-access.js';

export function refusedLogin(
  request: string,
  status: number,
  { authorization }: HttpAccess,
): Problem {
  return new Problem(
    'permission-denied',
    authorization === undefined
      ? `Kafka Connect requires a login (${request}: ${status}), and the spec has no connector.auth`
      : `Kafka Connect refuses the login in connector.auth (${request}: ${status})`,
    authorization === undefined
      ? 'add connector.auth: { username, passwordFrom } or { tokenFrom }'
      : 'correct connector.auth, or the secret that it names, then: sluice retry',
  );
}

/** Returns the Problem for a server that answers, but not as Kafka Connect does. */
export const notConnect = (request: string): Problem =>
  new Problem(
    'unreachable',
    `the server that answered ${request} is not Kafka Connect`,
    'correct connector.url, which names the REST API of Kafka Connect; then: sluice retry',
  );

/** Parses the body of a successful answer. `request` names the method and the URL. */
export function bodyOf(text: string, request: string): unknown {
  try {
    const body: unknown = text === '' ? {} : JSON.parse(text);
    if (body !== null) return body;
  } catch {
    // The Problem below does not quote the body, because the body may contain a secret.
  }
  throw notConnect(request);
}

/** Returns the message of an answer with an error. */
export function errorMessage(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return quoteForeign(withoutValues(typeof message === 'string' ? message : 'no reason given'));
  } catch {
    return 'the answer does not come from Kafka Connect'; // the answer itself may contain a secret
  }
}

/**
 * Returns whether an answer with status 404 says that Kafka Connect does not know a connector. A
 * proxy can also answer 404, and so can a Connect worker whose REST resources have not started yet.
 * These answers do not mean that the connector was deleted.
 */
export function isUnknownConnector(text: string): boolean {
  try {
    const answer = JSON.parse(text) as { error_code?: unknown; message?: unknown } | null;
    return answer?.error_code === 404 && answer.message !== NO_SUCH_PATH;
  } catch {
    return false;
  }
}

/** The message of Kafka Connect for a path that it does not serve. */
const NO_SUCH_PATH = 'HTTP 404 Not Found';

/**
 * Returns the Problem for an answer with status 404 that does not come from a missing connector.
 */
export const notServed = (request: string): Problem =>
  new Problem(
    'unreachable',
    `the answer to ${request} is 404, but Kafka Connect does not say that the connector is missing: the Connect worker has not started yet, or another server answered`,
    'wait until Kafka Connect has started, or correct connector.url, which names its REST API; the migration continues by itself, or at once with: sluice retry',
  );
