// Derives a resolved plan from a spec and a generation, which is the number of the capture. The
// function is pure: the same input gives an equal plan on every worker.
import { adoptedObjects } from '../capture/adopted.js';
import { captureOf, capturesOf, logTopics, plannedTopics } from '../capture/index.js';
import { cutoverNotes, cutoverSteps } from './cutover-steps.js';
import { targetDatabase } from '../migration/databases.js';
import { namesOf, relation, sinkGroup, type Names } from '../migration/names.js';
import type { BatchPlan, FencePlan, Guard, ResolvedPlan, SinkPlan } from './resolved-plan.js';
import { hostPlan } from '../pipelines/index.js';
import { routeOf } from '../routes/index.js';
import type { RoutePlan } from '../routes/route.js';
import { runLogOf, type MigrationSpec } from '../migration/spec.js';
import { subjectsOf } from './planned-subjects.js';
import { ledgerName, type TriggerRole } from '../migration/trigger-names.js';

/** Resolves the plan. Throws for a name or a statement that the parser would have refused. */
export function resolve({
  spec: migration,
  generation,
}: {
  readonly spec: MigrationSpec;
  readonly generation: number;
}): ResolvedPlan {
  const { spec } = migration;
  const names = namesOf(migration, generation);
  const captures = capturesOf(migration, generation);
  const route = routeOf(migration);
  const decided = {
    spec,
    capture: captureOf(migration),
    batch: batchOf(migration),
    route,
    fence: fenceOf(migration, names, route),
  };
  return {
    ...migration,
    ...decided,
    generation,
    names,
    database: spec.source.postgres.database,
    targetDatabase: targetDatabase(migration),
    cluster: spec.kafka.brokers.join(','),
    tables: spec.source.tables.map(relation),
    captures,
    sourceConnectors: [...new Set(captures.map(({ connector }) => connector))],
    logTopics: logTopics(migration, names),
    topics: plannedTopics(migration, generation),
    adopts: adoptedObjects(migration),
    sink: sinkOf(migration, names, route),
    host: hostPlan(migration, names),
    subjects: subjectsOf(migration),
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

function sinkOf({ spec }: MigrationSpec, names: Names, route: RoutePlan): SinkPlan | null {
  if (!spec.sink) return null;
  const stream = relation(spec.sink.table);
  const writes = { batch: route.staging ?? stream, stream };
  return { connector: names.sinkConnector, group: sinkGroup(names), writes };
}

function fenceOf({ spec }: MigrationSpec, names: Names, { guarded }: RoutePlan): FencePlan {
  const { cutover, source } = spec;
  const guard = (role: TriggerRole, text: string): Guard => ({
    role,
    table: relation(text),
    trigger: {
      kind: 'trigger',
      name: ledgerName(names, role, text),
      where: targetDatabase({ spec }),
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
