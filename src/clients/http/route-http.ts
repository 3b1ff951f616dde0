// Calls the HTTP service that switches consumers between the batch and the stream (`route: http`).
// PUT requests the side that consumers must read, and GET returns the side that they read. Such a
// route is weaker than a view, because its switch is not part of the transaction that changes the
// lease row. This file also posts actions, such as a pause, to the batch's scheduler.
import { Problem } from '../../domain/failure.js';
import { causeText } from '../../domain/values/error-text.js';
import { answered } from '../progress.js';
import { wholeAnswer } from './http-access.js';

const TIMEOUT_MS = 10_000;
const ANSWER_LIMIT = 65_536;

export interface RouteOrder {
  readonly migration: string;
  readonly side: 'batch' | 'stream';
  /**
   * The number of the order, which increases with each order of a migration. (It is not an epoch of
   * evidence.) A receiver MUST ignore an order if it has already seen one with a larger number.
   */
  readonly epoch: number;
}

/**
 * Requests the side that consumers must read. The request may be repeated. Throws Problem
 * `unreachable` if it is unclear whether the order arrived. The caller MUST then call `getRoute`.
 * Throws Problem `route-unexpected` if the order was refused.
 */
export async function putRoute(url: string, order: RouteOrder): Promise<void> {
  await send('PUT', url, order);
}

/**
 * Returns the side that the route serves. Throws Problem `route-unexpected` if the answer names no
 * side.
 */
export async function getRoute(url: string): Promise<'batch' | 'stream'> {
  const text = await send('GET', url);
  let side: unknown;
  try {
    side = (JSON.parse(text) as { side?: unknown } | null)?.side;
  } catch {
    side = undefined;
  }
  if (side === 'batch' || side === 'stream') return side;
  throw new Problem(
    'route-unexpected',
    `GET ${place(url)} named no side: expected {"side": "batch"} or {"side": "stream"}`,
    'fix the route, then: sluice retry',
  );
}

/**
 * Posts an action to the batch's scheduler. `until` (ISO) is the time at which a pause must end by
 * itself.
 */
export async function postAction(
  url: string,
  action: { readonly migration: string; readonly action: string; readonly until: string | null },
): Promise<void> {
  await send('POST', url, action);
}

async function send(method: string, url: string, body?: object): Promise<string> {
  const where = `${method} ${place(url)}`;
  const response = await answered(
    wholeAnswer(
      fetch(url, {
        method,
        redirect: 'error', // a redirect could send the order to a different address
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: body ? { 'content-type': 'application/json' } : {},
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
    ),
  ).catch((error: unknown) => {
    throw new Problem('unreachable', `${where}: ${causeText(error)}`);
  });
  if (response.ok) return response.text.slice(0, ANSWER_LIMIT);
  throw new Problem(
    response.status >= 500 ? 'unreachable' : 'route-unexpected',
    `${where} answered ${response.status}`,
    'fix the service at this address, then: sluice retry',
  );
}

/** Returns the URL without the parts that may be secret. */
function place(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
