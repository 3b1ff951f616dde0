// Read-only check of transactions that have been writing for long, and what is said of those that
// our role cannot see.
import type pg from 'pg';
import { grantSight, oldWriters, type OpenWriter } from '../../clients/postgres/open-writers.js';
import { formatMs } from '../../domain/values/duration.js';
import type { Answer } from '../runtime/findings.js';

const OLD_MS = 10 * 60_000;
const MOST_NAMED = 5;

/** A new slot waits for every writing transaction of the server. */
export async function noLongTransactions(client: pg.ClientBase, user: string): Promise<Answer> {
  const { old, unseen } = await oldWriters(client, OLD_MS);
  if (old.length > 0)
    return {
      detail: `creating a slot waits for ${describeWriters(old)}`,
      remedy: remedyFor(old, 'wait for the session to end its transaction'),
    };
  return unseen.length > 0
    ? cannotSee(user, unseen)
    : 'no writing transaction is prepared, or older than 10 minutes';
}

/** The statements that end the prepared ones; of what a session holds open, `otherwise`. */
export function remedyFor(writers: readonly OpenWriter[], otherwise: string): string {
  const statements = writers.flatMap(({ endedBy }) => endedBy ?? []);
  const isMixed = writers.some(({ endedBy }) => endedBy === null);
  return [
    ...(statements.length > 0
      ? [`in its database: ${statements.join('; ')} (or COMMIT PREPARED)`]
      : []),
    ...(isMixed ? [otherwise] : []),
  ].join('; ');
}

/** The age of transactions that stay open is visible only to a role with pg_read_all_stats. */
export const cannotSee = (user: string, unseen: readonly OpenWriter[]): Answer => ({
  detail: `how long writing transactions of other roles are open cannot be seen: ${describeWriters(unseen)}`,
  remedy: grantSight(user),
  unknown: true,
});

export function describeWriters(writers: readonly OpenWriter[]): string {
  const named = writers
    .slice(0, MOST_NAMED)
    .map(({ said, ageMs }) => (ageMs === null ? said : `${said}, ${formatMs(ageMs)}`));
  return [
    ...named,
    ...(writers.length > MOST_NAMED ? [`${writers.length - MOST_NAMED} more`] : []),
  ].join('; ');
}
