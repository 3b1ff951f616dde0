// Sends one request with a JSON body, and reports its answer as progress.
import { answered } from '../progress.js';

export interface JsonRequest {
  readonly method: string;
  readonly body?: object | undefined;
  readonly mediaType?: string;
  readonly limitMs: number;
}

/**
 * Resolves to the answer, even if it has an error status. Rejects if no answer comes within
 * `limitMs`.
 */
export const jsonRequest = (
  url: string,
  { method, body, mediaType, limitMs }: JsonRequest,
): Promise<Response> =>
  answered(
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
  );
