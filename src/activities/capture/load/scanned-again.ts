// Checks an initial load whose tables the connector scanned more than once, because it restarted.
// compare/vanished-rows.ts says how such a load can lose the deletion of a row.
import { VanishedRows } from '../../../compare/vanished-rows.js';
import type { TableProgress } from '../../../domain/evidence/ledger-rows.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { LoadedTopic } from './loaded-topic.js';

const REMEDY =
  'sluice retry starts a new generation; the loads copy and incremental lose nothing if the connector restarts';

/** Replaces the position of the last scan if that scan read no row. It is above every position. */
const NEVER = 2n ** 64n;

/**
 * Throws Problem `snapshot-failed` if the topics keep rows that were deleted before the last scan.
 * `scanned` says how many rows the last scan read.
 */
export async function demandNoVanishedRows(
  { systems }: CaptureDeps,
  plan: ResolvedPlan,
  scanned: readonly TableProgress[],
): Promise<void> {
  const kafka = systems.kafka(plan);
  const found = plan.captures.map(({ subject, topic }) => ({
    subject,
    topic,
    rows: new VanishedRows(),
  }));
  for (const { topic, rows } of found)
    await new LoadedTopic(kafka, topic, (_partition, _offset, key, value) =>
      rows.add(key, value),
    ).readTo(await kafka.offsets(topic));
  const isEmpty = scanned.every(({ rowsScanned }) => rowsScanned === 0);
  const newest = found.reduce((top, { rows }) => (rows.newest > top ? rows.newest : top), 0n);
  const last = isEmpty ? NEVER : newest;
  const vanished = found.filter(({ rows }) => rows.before(last) > 0);
  if (vanished.length === 0) return;
  const named = vanished.map(({ subject, rows }) => `${rows.before(last)} of ${subject}`);
  throw new Problem(
    'snapshot-failed',
    `the connector restarted during the initial load and scanned the tables again; rows that were deleted in between are still in the topics: ${named.join(', ')}`,
    REMEDY,
  );
}
