// What the shape alone cannot say: values not built in this version, and parts of a spec that contradict each other.
import { checkExtraConfig } from '../connectors/allowlist.js';
import { flinkPlan } from '../connectors/flink-sql.js';
import { engineGateway, type MigrationSpec } from '../domain/spec.js';
import type { SpecIssue } from './document.js';
import { pollingIssues } from './polling.js';
import type { ParsedSpec } from './schema.js';

export function semanticIssues(parsed: ParsedSpec): SpecIssue[] {
  return [...notBuilt(parsed), ...contradictions(parsed), ...pollingIssues(parsed), ...checkExtraConfig(parsed.spec.connector)];
}

/** In the contract, but not in this version: refused, never ignored. */
function notBuilt({ spec }: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const refuse = (present: unknown, what: string, ...path: (string | number)[]): void => {
    if (present) issues.push({ path: ['spec', ...path], message: `${what} is part of the format but not built in this version` });
  };
  const { connector, pipeline, cutover } = spec;
  refuse(connector.snapshot !== 'initial', `snapshot ${connector.snapshot}`, 'connector', 'snapshot');
  refuse(pipeline?.type === 'ksqldb', 'pipeline type ksqldb', 'pipeline', 'type');
  refuse(pipeline?.url, 'url (it belongs to ksqldb)', 'pipeline', 'url');
  refuse(cutover.route.type === 'postgres-table', `route type ${cutover.route.type}`, 'cutover', 'route', 'type');
  return issues;
}

function flinkProblems(parsed: ParsedSpec): string[] {
  if (!parsed.spec.pipeline?.statements) return ['a Flink SQL pipeline needs its statements: { sql: ... } or { file: ... }'];
  try {
    flinkPlan(parsed as MigrationSpec, 1);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function contradictions(parsed: ParsedSpec): SpecIssue[] {
  const { spec } = parsed;
  const issues: SpecIssue[] = [];
  const { batch, pipeline, sink, cutover, validation } = spec;
  const add = (message: string, ...path: (string | number)[]): void => void issues.push({ path: ['spec', ...path], message });
  if (batch && !pipeline) add('a batch needs a pipeline that computes the same: add spec.pipeline', 'batch');
  if (pipeline && !batch) add('a pipeline needs a batch to be compared with: add spec.batch', 'pipeline');
  if (sink && !pipeline) add('a sink needs a pipeline whose output it writes: add spec.pipeline', 'sink');
  if (cutover.route.type === 'http' && !batch) add('without a batch nothing is routed: use route type none', 'cutover', 'route');
  if (cutover.fence === 'source' && !batch) add('without a batch nothing is fenced: leave fence out', 'cutover', 'fence');
  if (cutover.route.type === 'postgres-view') {
    if (!batch || !sink) add('a route by view needs spec.batch and spec.sink', 'cutover', 'route');
    else {
      if (cutover.route.stream !== sink.table) add(`must be the sink's table, ${sink.table}`, 'cutover', 'route', 'stream');
      if (cutover.route.batch !== batch.result.table) add(`must be the batch's result table, ${batch.result.table}`, 'cutover', 'route', 'batch');
    }
  }
  if (batch && pipeline && [...batch.result.key].sort().join() !== [...pipeline.output.key].sort().join()) {
    add(`must name the same columns as batch.result.key (${batch.result.key.join(', ')})`, 'pipeline', 'output', 'key');
  }
  if (validation.closedKeys && !batch?.runs) add('closed keys need the run log that says where a run was cut: add batch.runs', 'validation', 'closedKeys');
  validation.waivers.forEach((waiver, at) => {
    const path = ['validation', 'waivers', at] as const;
    if ((waiver.check === undefined) === (waiver.class === undefined)) add('name either a check or a class', ...path);
    // Every other class says that the stream is wrong or unknown: a pass in spite of it would be a lie.
    else if (waiver.class !== undefined && waiver.class !== 'batch-was-wrong') add('only the class batch-was-wrong can be waived', ...path, 'class');
    else if (waiver.class && !validation.closedKeys) add('batch-was-wrong is found by batch-aligned windows only: add validation.closedKeys', ...path, 'class');
  });
  if (pipeline?.type === 'flink-sql') for (const message of flinkProblems(parsed)) add(message, 'pipeline', 'statements');
  if (pipeline?.type === 'flink-sql' && !pipeline.gateway) add('a Flink SQL pipeline needs the URL of its SQL Gateway', 'pipeline');
  if (pipeline?.type === 'external') {
    for (const key of ['gateway', 'statements'] as const) if (pipeline[key]) add('belongs to pipeline type flink-sql', 'pipeline', key);
  }
  if (validation.engine === 'flink') {
    if (!engineGateway(spec)) add('the engine flink needs the URL of a SQL Gateway: add validation.gateway', 'validation', 'engine');
    if (spec.kafka.sasl)
      add('the engine flink cannot be given a password for Kafka: its statements would show it; use engine embedded', 'validation', 'engine');
  } else if (validation.gateway) add('belongs to engine flink', 'validation', 'gateway');
  const stages = batch?.stages.map((stage) => stage.name) ?? [];
  stages.forEach((name, at) => {
    if (name === 'result' || stages.indexOf(name) < at) add(`"${name}" names another subject already`, 'batch', 'stages', at, 'name');
  });
  if (cutover.approval.approvers.length > 0 && cutover.approval.approvers.length < cutover.approval.quorum) {
    add(`quorum ${cutover.approval.quorum} > ${cutover.approval.approvers.length} approvers named`, 'cutover', 'approval', 'quorum');
  }
  return issues;
}
