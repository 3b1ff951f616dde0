// Proves the cut-over's drain: everything that was committed before the fence has passed connector,
// pipeline, output and sink. The file docs/explanation/cutover.md describes the parts P1 to P6 of
// the proof. P6 is the final window. If one part cannot be proven, the whole drain counts as not
// proven.
import type pg from 'pg';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { readRecords } from '../../clients/kafka/records.js';
import { leaseTable, readLease } from '../../clients/postgres/lease-row.js';
import { grantSight } from '../../clients/postgres/open-writers.js';
import { withSource } from '../../clients/postgres/connection.js';
import { unguardedParts, writersSince } from '../../clients/postgres/trigger-sql.js';
import type { DrainProof } from '../../domain/audit.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { Lsn } from '../../domain/values/position.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Note } from '../barrier/connector-acknowledged.js';
import { pipelineDrained, sinkDrained } from '../barrier/consumers-drained.js';
import type { Deps } from '../runtime/deps.js';
import { pollUntil } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { markSource } from '../capture/source-mark.js';

export interface Drained {
  /** The reason why the drain is not proven, or null if it is proven. */
  readonly reason: string | null;
  /** Those of the parts P1 to P5 that were proven, each with a description of what holds. */
  readonly proofs: readonly DrainProof[];
}

/**
 * The number of newest records of each partition among which to look for the fence's marker. It is
 * large because windows and other barriers also write markers.
 */
const NEWEST_MARKERS = 2000;

export function createDrainActivities({ secret, systems }: Pick<Deps, 'secret' | 'systems'>) {
  return withPlan({
    /**
     * Waits up to `limitMs` until everything up to `lsn` has passed the whole path. `lsn` is a
     * position after the fence's marker, which contains `token`.
     */
    async drainTo(
      { ref, plan }: Planned,
      lsn: Lsn,
      limitMs: number,
      token: string,
    ): Promise<Drained> {
      const proofs: DrainProof[] = [];
      const note: Note = (proof) => void proofs.push(proof);
      const deadline = Date.now() + limitMs;
      const kafka = systems.kafka(plan);
      const reason = await withSource(plan, secret, async (client) => {
        const mark = await markSource(
          { systems },
          { ref, plan },
          {
            snapshot: client,
            side: client,
            from: lsn,
            token: 'barrier',
          },
        );
        return (
          (await nobodyWrites(client, { ref, plan }, note)) ??
          (await mark.reached(deadline, note)) ??
          (await markerRead(kafka, plan, token, deadline, note)) ??
          (await pipelineDrained(kafka, plan, deadline, note)) ??
          (await sinkDrained(kafka, plan, deadline, note))
        );
      });
      return { reason, proofs };
    },
  });
}

/**
 * Proves P1: every table that the fence guards has its trigger, and no transaction from before the
 * fence can still write to such a table. Without guarded tables, there is nothing to prove.
 */
async function nobodyWrites(
  client: pg.ClientBase,
  { ref, plan }: Planned,
  note: Note,
): Promise<string | null> {
  const tables = plan.fence.guards.map(({ table }) => table);
  const named = tables.map(({ text }) => text).join(', ');
  if (tables.length === 0) {
    note({
      part: 'P1',
      holds: plan.batch
        ? 'no table is fenced; Sluice watches for batch runs instead'
        : 'no table is fenced, because there is no batch',
    });
    return null;
  }
  const open = await unguardedParts(client, plan);
  if (open.length > 0) return `P1: not fenced: ${open.join(', ')}`;
  const lease = await readLease(client, leaseTable(plan), ref.name);
  if (!lease?.fenced_at) return 'P1: the lease row is no longer fenced';
  const { old, unseen } = await writersSince(
    client,
    tables.map(({ sql }) => sql),
    `${quoteLiteral(lease.fenced_at)}::timestamptz`,
  );
  if (old > 0) return `P1: ${old} transactions from before the fence can still write to ${named}`;
  if (unseen > 0)
    return `P1: ${unseen} transactions can write to ${named}, and Sluice's role cannot see when they began: ${grantSight(plan.spec.source.postgres.user)}`;
  note({
    part: 'P1',
    holds: `triggers exist on ${named} and their partitions; 0 transactions from before the fence can write to them`,
  });
  return null;
}

/**
 * Proves P3: the marker of this fence is in the topic to which the connector writes markers.
 * Nothing is checked if the capture has no markers (a polling or an adopted connector). Returns
 * null if P3 is proven or not checked, otherwise the reason.
 */
export async function markerRead(
  kafka: KafkaPort,
  { capture, names }: ResolvedPlan,
  token: string,
  deadline: number,
  note: Note,
): Promise<string | null> {
  if (!capture.carriesMarkers) return null;
  const { messageTopic } = names;
  const written = [Buffer.from(token).toString('base64'), token];
  const at = await pollUntil(deadline, 100, async () => {
    const found: string[] = [];
    for (const { partition, low, committed } of await kafka.offsets(messageTopic)) {
      const from = Math.max(low, committed - NEWEST_MARKERS);
      const newest = { topic: messageTopic, partition, from, to: committed };
      await readRecords(kafka, newest, ({ offset, value }) => {
        const text = value?.toString() ?? '';
        if (written.some((form) => text.includes(form)))
          found.push(`${messageTopic}/${partition} at ${offset}`);
      });
    }
    return found[0] ?? null;
  });
  if (at === null)
    return `P3: the fence's marker is not in ${messageTopic}, so the drain is not proven`;
  note({ part: 'P3', holds: `the fence's own marker was read from ${at}` });
  return null;
}
