// Keeps a session alive while it is idle, because Postgres ends it after `idle_session_timeout` or,
// inside a transaction, `idle_in_transaction_session_timeout`. For example, a window's session is
// idle while the window reads a long topic.
import type pg from 'pg';

/**
 * Sends a statement every `everyMs` until the returned function is called. Sends none while the one
 * before it has no answer, so at most one is in the queue. Errors are ignored: the next statement
 * of the caller fails for the same reason.
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
