// Sends requests to Kafka Connect without Sluice's client, as a person would.
import { fetchConnect } from './access.js';

const PATIENCE_MS = 120_000;
const PAUSE_MS = 300;
/**
 * The HTTP status codes of a Connect worker during a rebalance. Test files that run at the same
 * time create and delete connectors, and each of these changes begins a rebalance.
 */
const BUSY = [409, 500];

/**
 * Sends a request about a connector. `path` begins with the connector's name. Repeats the request
 * during a rebalance, for at most two minutes. Returns the last answer, which may be an error.
 */
export async function askConnect(method: string, path: string, body?: object): Promise<Response> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetchConnect(`/connectors/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!BUSY.includes(answer.status) || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
