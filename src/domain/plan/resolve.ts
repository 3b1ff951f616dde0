// Derives a resolved plan from a spec and a generation. Pure: the same input gives an equal plan on
// every worker.
import { captureOf, capturesOf, logTopics, plannedTopics } from '../capture/index.js';
import { cutoverNotes, cutoverSteps } from './cutover-steps.js';
import { namesOf, relation, sinkGroup } from '../migration/names.js';
import type { BatchPlan, FencePlan, Guard, ResolvedPlan, SinkPlan } from './resolved-plan.js';
import { hostPlan } from '../pipelines/index.js';
import { routeOf } from '../routes/index.js';
import type { RoutePlan } from '../routes/route.js';
import { runLogOf, type MigrationSpec } from '../migration/spec.js';
import { subjectsOf } from './planned-subjects.js';
import { ledgerName, type TriggerRole } from './trigger-names.js';

/** Resolves the plan. Throws for a name or a statement that the parser would have refused. */
export function resolve({
  spec,
  generation,
}: {
  readonly spec: MigrationSpec;
  readonly generation: number;
}): ResolvedPlan {
  const captures = capturesOf(spec, generation);
  const route = routeOf(spec);
  const decided = {
    spec: spec.spec,
    capture: captureOf(spec),
    batch: batchOf(spec),
    route,
    fence: fenceOf(spec, route),
  };
  return {
    ...spec,
    ...decided,
    generation,
    names: namesOf(spec, generation),
    database: spec.spec.source.postgres.database,
    cluster: spec.spec.kafka.brokers.join(','),
    tables: spec.spec.source.tables.map(relation),
    captures,
    sourceConnectors: [...new Set(captures.map(({ connector }) => connector))],
    logTopics: logTopics(spec, generation),
    topics: plannedTopics(spec, generation),
    sink: sinkOf(spec, generation, route),
    host: hostPlan(spec, generation),
    subjects: subjectsOf(spec),
    steps: cutoverSteps(decided),
    notes: cutoverNotes(decided),
  };
}

function batchOf({ spec: { batch } }: MigrationSpec): BatchPlan | null {
  if (!batch) return null;
  const runLog = runLogOf(batch);
  return {
    ...batch,
    resultTable: relation(batch.result.table),
    runLog: runLog === null ? null : relation(runLog),
  };
}

function sinkOf(spec: MigrationSpec, generation: number, route: RoutePlan): SinkPlan | null {
  if (!spec.spec.sink) return null;
  const stream = relation(spec.spec.sink.table);
  const writes = {
    batch: route.staging ?? stream,
    stream,
  };
  return {
    connector: namesOf(spec, generation).sinkConnector,
    group: sinkGroup(spec, generation),
    writes,
  };
}

function fenceOf(spec: MigrationSpec, { guarded }: RoutePlan): FencePlan {
  const { cutover, source } = spec.spec;
  const names = namesOf(spec, 1);
  const guard = (role: TriggerRole, text: string): Guard => ({
    role,
    table: relation(text),
    trigger: {
      kind: 'trigger',
      name: ledgerName(names, role, text),
      where: source.postgres.database,
    },
  });
  return {
    kind: cutover.fence,
    guards: [
      ...(cutover.fence === 'source' ? source.tables.map((text) => guard('fence', text)) : []),
      ...(guarded ? [guard('owner', guarded.text)] : []),
    ],
  };
}
