// Decides whether a fold, which keeps the latest row of each key, may have missed a delete.
// Compaction removes a tombstone some time after it was written, together with every older record
// of its key. A reader that comes later finds no record of the key. A fold that had read the key
// before would keep the row forever.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { FoldProgress } from '../../../compare/fold.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

const KEPT = 'delete.retention.ms';
/** The default of Kafka. */
const DAY_MS = 86_400_000;

/** Returns how long (ms) each topic that windows read keeps a tombstone. */
export async function tombstonesKept(
  kafka: KafkaPort,
  { captures, batch, spec }: ResolvedPlan,
): Promise<ReadonlyMap<string, number>> {
  const topics = [
    ...captures.map(({ topic }) => topic),
    ...(batch?.stages ?? []).map(({ topic }) => topic),
    ...(spec.pipeline ? [spec.pipeline.output.topic] : []),
  ];
  const found = await kafka.describeTopics(topics, [KEPT]);
  return new Map([...found].map(([topic, { settings }]) => [topic, Number(settings[KEPT])]));
}

/**
 * Returns whether the fold may have missed a tombstone of a topic that keeps tombstones for
 * `keptMs`. The reading itself takes time, so a fold counts as too old after half of that time. If
 * the time is not known, Kafka's default counts.
 */
export function mayMissDeletes({ readAt }: FoldProgress, keptMs: number | undefined): boolean {
  if (readAt === null) return false;
  const kept = keptMs !== undefined && Number.isFinite(keptMs) ? keptMs : DAY_MS;
  return Date.now() - readAt >= kept / 2;
}
