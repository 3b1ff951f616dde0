// Checks an initial load whose tables the connector scanned more than once, because it restarted.
// compare/vanished-rows.ts says what such a load can lose.
import { VanishedRows } from '../../../compare/vanished-rows.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { LoadedTopic } from './loaded-topic.js';

const REMEDY =
  'sluice retry starts a new generation; the loads copy and incremental lose nothing if the connector restarts';

/**
 * Throws Problem `snapshot-failed` if the topics keep rows that were deleted before the last scan.
 */
export async function demandNoVanishedRows(
  { systems }: CaptureDeps,
  plan: ResolvedPlan,
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
  const last = found.reduce(
    (newest, { rows }) => (rows.newest > newest ? rows.newest : newest),
    0n,
  );
  const vanished = found.filter(({ rows }) => rows.before(last) > 0);
  if (vanished.length === 0) return;
  const named = vanished.map(({ subject, rows }) => `${rows.before(last)} of ${subject}`);
  throw new Problem(
    'snapshot-failed',
    `the connector restarted during the initial load and scanned the tables again; rows that were deleted in between are still in the topics: ${named.join(', ')}`,
    REMEDY,
  );
}
