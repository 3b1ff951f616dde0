// Marks a position of the source, and waits until everything up to the mark has passed the whole
// path to the sink.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { pipelineDrained, sinkDrained } from '../barrier/consumers-drained.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import { adapterOf } from './index.js';
import type { MarkAt, SourceMark } from './capture-adapter.js';

export type { SourceMark } from './capture-adapter.js';

/** Marks the source's current position in the way that the plan's capture needs. */
export const markSource = (
  deps: Pick<Deps, 'systems'>,
  run: Planned,
  at: MarkAt,
): Promise<SourceMark> => adapterOf(run.plan).mark(deps, run, at, run.plan.capture);

/**
 * Waits until everything up to the mark has passed connector, pipeline, output and sink. Returns
 * null if that is proven, otherwise the reason.
 */
export async function passedWholePath(
  kafka: KafkaPort,
  plan: ResolvedPlan,
  mark: SourceMark,
  deadline: number,
): Promise<string | null> {
  return (
    (await mark.reached(deadline)) ??
    (await pipelineDrained(kafka, plan, deadline)) ??
    (await sinkDrained(kafka, plan, deadline))
  );
}
