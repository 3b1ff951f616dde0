// Waits for the barrier of a comparison of results. Everything up to a position of the source must
// have passed the whole path: connector, pipeline, output and, if there is one, the sink.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import { passedWholePath, type SourceMark } from '../../capture/source-mark.js';
import { BARRIER_LIMIT_MS } from '../../../domain/capture/capture.js';

/**
 * Waits until the mark has passed the whole path. Returns the milliseconds that this took, or the
 * reason why the barrier is not proven.
 */
export async function passBarrier(
  kafka: KafkaPort,
  plan: ResolvedPlan,
  mark: SourceMark,
): Promise<OrReason<number>> {
  const started = Date.now();
  const unproven = await passedWholePath(kafka, plan, mark, started + BARRIER_LIMIT_MS);
  return unproven === null ? ok(Date.now() - started) : because(unproven);
}
