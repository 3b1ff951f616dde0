// Implements the barrier of `sluice compare`, which creates nothing. With a slot, it waits until
// the slot's reader has acknowledged a position that was read after the snapshot. Without a slot,
// nothing proves which records are still in flight (on their way from Postgres to Kafka).
import type pg from 'pg';
import { lossOf, readSlot } from '../../../clients/postgres/slots.js';
import { insertLsn } from '../../../clients/postgres/wal-position.js';
import type { ExistingBarrier } from '../../../domain/evidence/comparison-document.js';
import { COMPARE_PREFIX } from '../../../domain/migration/names.js';
import { compareLsn, type Lsn } from '../../../domain/values/position.js';
import type { MarkAt, SourceMark } from '../../capture/capture-adapter.js';
import { pollUntil } from '../../runtime/poll-until.js';

const POLL_MS = 100;
const NUDGE_MS = 1000;
const MARKER = `SELECT pg_logical_emit_message(true, '${COMPARE_PREFIX}', 'nudge')`;

const bySlot = (slot: string): ExistingBarrier => ({
  kind: 'slot',
  slot,
  proves: `the reader of slot ${slot} acknowledged a position after the snapshot. The slot does not prove that this reader writes to these topics`,
});

/** Returns the barrier without a slot. `why` says why there is no slot. */
export const withoutBarrier = (why: string): ExistingBarrier => ({
  kind: 'none',
  slot: null,
  proves: `nothing about rows in flight, because ${why}. Equal rows are proven equal; differences are not proven`,
});

/**
 * Selects the barrier. A slot that the spec names must exist. `isNamed` is false if the slot's name
 * is only derived from the migration's name. Returns a reason if the slot cannot be used.
 */
export async function barrierOf(
  client: pg.ClientBase,
  slot: string | null,
  isNamed: boolean,
): Promise<ExistingBarrier | { readonly unusable: string }> {
  if (slot === null) return withoutBarrier('the spec names no slot (existing.slot)');
  const found = await readSlot(client, slot);
  if (!found && !isNamed)
    return withoutBarrier(`slot ${slot}, derived from this migration's name, does not exist`);
  const loss = lossOf(slot, found);
  if (loss) return { unusable: loss };
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const here = rows[0]!.name;
  if (found!.database !== here)
    return {
      unusable: `replication slot ${slot} belongs to database ${found!.database ?? '(none)'}, but the tables are in ${here}`,
    };
  return bySlot(slot);
}

export interface Patience {
  /** The maximum time (ms) that the comparison waits for the slot. */
  readonly withinMs: number;
  /**
   * True if Sluice may write markers into the WAL. A marker advances a slot whose reader has
   * nothing else to read.
   */
  readonly marks: boolean;
}

/**
 * Returns the function that reads the source's WAL position, and waits until the slot has reached
 * it. If `marks` is true, the function also writes markers into the WAL while it waits.
 */
export function markBy(
  { slot }: ExistingBarrier,
  { withinMs, marks }: Patience,
): (at: MarkAt) => Promise<SourceMark> {
  return async ({ side }) => {
    // the LSN is read after the snapshot, so everything that the snapshot sees has a lower LSN
    const lsn = await insertLsn(side);
    const limit = Date.now() + withinMs;
    return {
      lsn,
      reached: (deadline) =>
        slot === null
          ? Promise.resolve(null)
          : acknowledged(side, { slot, lsn, marks }, Math.min(deadline, limit)),
    };
  };
}

async function acknowledged(
  client: pg.ClientBase,
  { slot, lsn, marks }: { readonly slot: string; readonly lsn: Lsn; readonly marks: boolean },
  deadline: number,
): Promise<string | null> {
  let confirmed = '0/0';
  let isRead = false;
  let nudgedAt = 0;
  const reached = await pollUntil(deadline, POLL_MS, async () => {
    const found = await readSlot(client, slot);
    const loss = lossOf(slot, found);
    if (loss) return loss;
    confirmed = found?.confirmedLsn ?? '0/0';
    isRead = found?.activePid !== null;
    if (compareLsn(confirmed, lsn) >= 0) return '';
    if (marks && Date.now() - nudgedAt >= NUDGE_MS) {
      await client.query(MARKER);
      nudgedAt = Date.now();
    }
    return null;
  });
  if (reached === null)
    return `barrier: the reader of slot ${slot} acknowledged ${confirmed}, but ${lsn} is needed; this was still so at the time limit${isRead ? '' : '; no process reads the slot'}`;
  return reached === '' ? null : `barrier: ${reached}`;
}
