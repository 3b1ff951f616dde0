// A barrier proves that everything up to a position of the source has passed the whole path to the
// sink. This file proves the first half: the connector has read everything before a WAL position,
// and has acknowledged that position to the slot. The second half is in consumers-drained.ts.
import type pg from 'pg';
import { lossOf, readSlot } from '../../clients/postgres/slots.js';
import type { DrainProof } from '../../domain/audit.js';
import { messagePrefix } from '../../connectors/debezium-postgres.js';
import { Problem } from '../../domain/failure.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import { compareLsn, type Lsn } from '../../domain/values/position.js';
import { pollUntil } from '../runtime/poll-until.js';

const POLL_MS = 40;
const NUDGE_MS = 200;

/**
 * Receives the proof of each part of a barrier. A proof has the part's name, such as P2
 * (docs/explanation/cutover.md explains the names), and a sentence with the numbers that prove it.
 */
export type Note = (proof: DrainProof) => void;

export const unnoted: Note = () => undefined;

/**
 * Writes a transactional marker into the WAL. Every WAL position that Sluice has read before the
 * call is before the marker. When the connector has read the marker, it can acknowledge those
 * positions.
 */
export async function emitMarker(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  token: string,
): Promise<void> {
  await client.query(
    `SELECT pg_logical_emit_message(true, ${quoteLiteral(messagePrefix(plan))}, ${quoteLiteral(token)})`,
  );
}

/**
 * Waits until the connector has acknowledged `lsn`. Returns null if that is proven, otherwise the
 * reason. Throws Problem `slot-lost` if the slot is lost. Debezium acknowledges a commit only after
 * it has read something later in the WAL. In a quiet database, nothing follows the commit, so this
 * function writes markers.
 */
export const connectorAcknowledged = (
  client: pg.ClientBase,
  plan: ResolvedPlan,
  lsn: Lsn,
  deadline: number,
  note = unnoted,
): Promise<string | null> =>
  slotAcknowledged(client, plan, lsn, deadline, note, () => emitMarker(client, plan, 'nudge'));

/**
 * Waits like `connectorAcknowledged`, but writes no markers itself. If the caller passes `nudge`,
 * which writes a marker, this function calls it repeatedly. Without markers, the connector of a
 * quiet database acknowledges positions only with Debezium's heartbeats.
 */
export async function slotAcknowledged(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  lsn: Lsn,
  deadline: number,
  note = unnoted,
  nudge: (() => Promise<void>) | null = null,
): Promise<string | null> {
  let confirmed = '0/0';
  let nudgedAt = Date.now();
  const reached = await pollUntil(
    deadline,
    POLL_MS,
    async () => {
      confirmed = await confirmedPosition(client, plan);
      if (compareLsn(confirmed, lsn) >= 0) return true;
      if (nudge === null || Date.now() - nudgedAt < NUDGE_MS) return null;
      await nudge();
      nudgedAt = Date.now();
      return null;
    },
    () => ({ waitingFor: 'connector', confirmed, lsn }),
  );
  if (reached)
    note({
      part: 'P2',
      holds: `the connector acknowledged ${confirmed}, which is at or after ${lsn}`,
    });
  return reached
    ? null
    : `barrier: the connector acknowledged ${confirmed}, but ${lsn} is needed; this was still so at the time limit`;
}

export async function confirmedPosition(
  client: pg.ClientBase,
  { names }: ResolvedPlan,
): Promise<Lsn> {
  const { slot } = names;
  const found = await readSlot(client, slot);
  const loss = lossOf(slot, found);
  if (loss) throw new Problem('slot-lost', loss);
  return found?.confirmedLsn ?? '0/0';
}
