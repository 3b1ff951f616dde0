// Stores notices for the webhook. Each notice is stored once. Sluice tries to send it until the
// webhook accepts it, but at most for a day.
import type { Notice } from '../../domain/evidence/notices.js';
import type { Ledger } from './ledger.js';
import { jsonText } from './json-text.js';

type Access = Pick<Ledger, 'query'>;

/** A notice that waits to be sent. */
export interface Waiting {
  readonly notice: Notice;
  readonly attempts: number;
}

/**
 * Stores a notice, unless the ledger already has it. One occasion therefore causes only one notice.
 */
export async function storeNotice(ledger: Access, notice: Notice): Promise<void> {
  const { migration, iteration, key } = notice;
  await ledger.query(
    `INSERT INTO sluice.notice (name, iteration, key, notice) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [migration, iteration, key, jsonText(notice)],
  );
}

/** Matches the notices that Sluice still tries to send. After a day, it gives up on a notice. */
const WAITING = `sent_at IS NULL AND created_at > now() - interval '1 day'`;

/** Counts the notices whose attempts have failed so far, and that Sluice still tries to send. */
export async function failingNotices(ledger: Access): Promise<number> {
  const [row] = await ledger.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM sluice.notice WHERE ${WAITING} AND attempts > 0`,
  );
  return row?.count ?? 0;
}

/**
 * Returns the notices that are due, at most 20 at a time. The pauses between attempts double, from
 * half a minute to an hour.
 */
export async function dueNotices(ledger: Access): Promise<Waiting[]> {
  return ledger.query(
    `SELECT notice, attempts FROM sluice.notice
     WHERE ${WAITING}
       AND (tried_at IS NULL OR tried_at < now() - least(interval '1 hour', interval '15 seconds' * 2 ^ attempts))
     ORDER BY created_at LIMIT 20`,
  );
}

/** Records an attempt to send. `problem` is null if the webhook accepted the notice. */
export async function recordAttempt(
  ledger: Access,
  { migration, iteration, key }: Notice,
  problem: string | null,
): Promise<void> {
  await ledger.query(
    `UPDATE sluice.notice SET attempts = attempts + 1, tried_at = now(), problem = $4, sent_at = CASE WHEN $4::text IS NULL THEN now() END
     WHERE name = $1 AND iteration = $2 AND key = $3`,
    [migration, iteration, key, problem],
  );
}
