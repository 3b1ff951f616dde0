// Checks how much WAL the server keeps for a slot, and for how long.
import type pg from 'pg';
import { sizeBytes } from '../../domain/values/duration.js';
import type { Answer } from '../runtime/make-finding.js';

/** Compares `max_slot_wal_keep_size` with the budget of the spec, such as `10GiB`. */
export async function walHeadroom(client: pg.ClientBase, budget: string): Promise<Answer> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep, current_setting('idle_replication_slot_timeout', true) AS idle`,
  );
  const { keep: setting, idle } = rows[0]!;
  const keep = Number(setting ?? Number.NaN);
  if (Number.isNaN(keep)) throw new Error('the role cannot see max_slot_wal_keep_size');
  const isLimitedBy = `walBudget ${budget} limits the WAL only while a worker runs`;
  if (keep < 0)
    return `max_slot_wal_keep_size is unlimited, so ${isLimitedBy}. With a max_slot_wal_keep_size above walBudget, the server limits the WAL at any time${lostIfIdle(idle)}`;
  return keep * 1024 * 1024 >= sizeBytes(budget)
    ? `max_slot_wal_keep_size is ${keep} MB${lostIfIdle(idle)}`
    : {
        detail: `max_slot_wal_keep_size is ${keep} MB, which is less than walBudget ${budget}, so the server would drop the slot first`,
        remedy: 'lower spec.source.walBudget.bytes or raise max_slot_wal_keep_size',
      };
}

/**
 * Describes the idle timeout of PostgreSQL 18. It invalidates a slot that no connector reads, even
 * if the slot retains little WAL.
 */
const lostIfIdle = (timeout: string | null | undefined): string =>
  timeout == null || timeout === '0'
    ? ''
    : `; a slot that nothing reads for ${timeout} is lost (idle_replication_slot_timeout)`;
