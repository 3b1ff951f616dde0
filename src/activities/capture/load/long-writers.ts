// Finds prepared transactions, and writing transactions that have been open for a long time, and
// describes them. This code only reads.
import type pg from 'pg';
import { grantSight, oldWriters, type OpenWriter } from '../../../clients/postgres/open-writers.js';
import { formatMs } from '../../../domain/values/duration.js';
import type { Answer } from '../../runtime/make-finding.js';

const OLD_MS = 10 * 60_000;
const MOST_NAMED = 5;

/**
 * Checks that no prepared or old writing transaction would delay a new slot. The creation of a slot
 * waits until all transactions that are writing at that moment have ended.
 */
export async function noLongTransactions(client: pg.ClientBase, user: string): Promise<Answer> {
  const { old, unseen } = await oldWriters(client, OLD_MS);
  if (old.length > 0)
    return {
      detail: `creating a slot waits for ${describeWriters(old)}`,
      remedy: remedyFor(old, 'wait for the session to end its transaction'),
    };
  return unseen.length > 0
    ? cannotSee(user, unseen)
    : 'no writing transaction is prepared, and none is older than 10 minutes';
}

/**
 * Returns the remedy, which lists the statements that end prepared transactions. If a session holds
 * one of the transactions, the remedy also contains `otherwise`.
 */
export function remedyFor(writers: readonly OpenWriter[], otherwise: string): string {
  const statements = writers.flatMap(({ endedBy }) => endedBy ?? []);
  const isMixed = writers.some(({ endedBy }) => endedBy === null);
  return [
    ...(statements.length > 0
      ? [`in the database of the transaction: ${statements.join('; ')} (or COMMIT PREPARED)`]
      : []),
    ...(isMixed ? [otherwise] : []),
  ].join('; ');
}

/** Says that only a role with pg_read_all_stats sees the age of other roles' transactions. */
export const cannotSee = (user: string, unseen: readonly OpenWriter[]): Answer => ({
  detail: `Sluice's role cannot see how long writing transactions of other roles have been open: ${describeWriters(unseen)}`,
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
