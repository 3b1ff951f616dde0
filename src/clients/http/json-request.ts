// Sends one request, which may have a JSON body. Reports the answer as progress of the current
// activity.
import { answered } from '../progress.js';
import { wholeAnswer, type HttpAnswer } from './http-access.js';

export interface JsonRequest {
  readonly method: string;
  readonly body?: object | undefined;
  readonly mediaType?: string;
  readonly limitMs: number;
}

/**
 * Resolves to the whole answer, even if it has an error status. Rejects if the whole answer has not
 * arrived within `limitMs`.
 */
export const jsonRequest = (
  url: string,
  { method, body, mediaType, limitMs }: JsonRequest,
): Promise<HttpAnswer> =>
  answered(
    wholeAnswer(
      fetch(url, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(limitMs),
        headers: {
          ...(mediaType ? { accept: mediaType } : {}),
          ...(body ? { 'content-type': mediaType ?? 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
    ),
  );

/** Returns the value of a JSON text, or null if the text is no JSON. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
