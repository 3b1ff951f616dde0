// The objects that a generation makes, in the order in which it makes them.
import type { PlannedObject, PlanParts } from './resolved-plan.js';

type After = PlannedObject['after'];

export function plannedObjects(plan: PlanParts): PlannedObject[] {
  const { names, database, cluster, spec } = plan;
  const connector = (name: string): PlannedObject => ({
    kind: 'connector',
    name,
    where: spec.connector.url,
    after: 'handed over',
  });
  return [
    {
      kind: 'lease',
      name: names.leaseSchema,
      where: plan.batch ? database : 'ledger',
      after: 'removed at complete',
    },
    ...onLog(plan, 'publication', names.publication),
    ...topics(plan).map(([name, after]) => ({
      kind: 'topic' as const,
      name,
      where: cluster,
      after,
    })),
    ...plan.fence.guards.map(({ trigger }) => ({
      ...trigger,
      after: 'removed at complete' as const,
    })),
    ...sinkTable(plan),
    ...onLog(plan, 'slot', names.slot),
    ...plan.sourceConnectors.map(connector),
    ...plan.host.jobs.map((name) => ({
      kind: 'job' as const,
      name,
      where: plan.host.url ?? '',
      after: 'handed over' as const,
    })),
    ...(plan.sink ? [connector(plan.sink.connector)] : []),
  ];
}

/** Publication and slot exist only where a connector reads the log. */
function onLog(
  { capture, database }: PlanParts,
  kind: 'publication' | 'slot',
  name: string,
): PlannedObject[] {
  return capture.kind === 'log' ? [{ kind, name, where: database, after: 'handed over' }] : [];
}

function topics({ captures, logTopics, names, spec }: PlanParts): (readonly [string, After])[] {
  return [
    ...captures.map(({ topic }) => [topic, 'handed over'] as const),
    ...logTopics.map(
      (name) =>
        [name, name === names.heartbeatTopic ? 'handed over' : 'removed at complete'] as const,
    ),
    ...(spec.validation.engine === 'flink'
      ? [[names.windowTopic, 'removed at complete'] as const]
      : []),
    ...(spec.pipeline ? [[spec.pipeline.output.topic, 'handed over'] as const] : []),
  ];
}

/** The stream's own table. On a shared table it is the staging table, which the commit replaces. */
function sinkTable({ sink, route, database }: PlanParts): PlannedObject[] {
  if (!sink) return [];
  return [
    {
      kind: 'sink',
      name: sink.writes.batch.text,
      where: database,
      after: route.kind === 'table' ? 'removed at complete' : 'handed over',
    },
  ];
}
