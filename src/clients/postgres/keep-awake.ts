// Keeps a session alive while it is idle in a transaction, because Postgres ends such a session
// after `idle_in_transaction_session_timeout`. A window is idle while it reads a long topic.
import type pg from 'pg';

/**
 * Sends a statement every `everyMs` until the returned function is called. A statement waits for
 * the one before it, so at most one is in the queue. Errors are ignored: the next statement of the
 * caller fails for the same reason.
 */
export function keepAwake(client: Pick<pg.ClientBase, 'query'>, everyMs: number): () => void {
  let isWaiting = false;
  const timer = setInterval(() => {
    if (isWaiting) return;
    isWaiting = true;
    client
      .query('SELECT 1')
      .catch(() => undefined)
      .finally(() => {
        isWaiting = false;
      });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
