// Finds contradictions in a spec. The schema alone cannot express these rules.
import { checkExtraConfig } from '../connectors/allowlist.js';
import { fillIn, flinkPlan } from '../connectors/flink-sql.js';
import { changelogProblem } from '../connectors/flink-changelogs.js';
import { ksqlPlan } from '../domain/pipelines/ksql-statements.js';
import { captureContradictions } from '../domain/capture/index.js';
import { HOSTS } from '../domain/pipelines/index.js';
import { routeContradictions } from '../domain/routes/index.js';
import {
  engineGateway,
  runLogOf,
  type MigrationSpec,
  type PipelineSpec,
} from '../domain/migration/spec.js';
import { resultMode } from '../domain/plan/planned-subjects.js';
import { durationMs } from '../domain/values/duration.js';
import type { SpecIssue } from './document.js';
import { compareIssues } from './compare-rules.js';
import { controlIssues } from './control-rules.js';
import { certificateIssues, engineLoginIssues, loginIssues } from './login-rules.js';
import { formatIssues } from './format-rules.js';
import { nameIssues } from './name-rules.js';
import { sharedNameIssues } from './shared-names.js';
import { targetIssues } from './target-rules.js';
import { waiverIssues } from './waiver-rules.js';
import type { ParsedSpec } from './spec-schema.js';

export function semanticIssues(parsed: ParsedSpec): SpecIssue[] {
  return [
    ...contradictions(parsed),
    ...routeContradictions(parsed.spec),
    ...pipelineIssues(parsed),
    ...captureContradictions(parsed as MigrationSpec),
    ...nameIssues(parsed),
    ...sharedNameIssues(parsed),
    ...controlIssues(parsed),
    ...certificateIssues(parsed),
    ...loginIssues(parsed),
    ...engineLoginIssues(parsed),
    ...targetIssues(parsed),
    ...waiverIssues(parsed),
    ...compareIssues(parsed),
    ...formatIssues(parsed),
    ...checkExtraConfig(parsed.spec.connector),
  ];
}

/**
 * Checks the statements of a pipeline, by its type. A check returns the problem, throws it as an
 * Error, or returns null.
 */
const CHECKS: Readonly<Record<PipelineSpec['type'], (spec: MigrationSpec) => string | null>> = {
  external: () => null,
  'flink-sql'(spec) {
    flinkPlan(spec, 1);
    return changelogProblem(spec);
  },
  ksqldb(migration) {
    ksqlPlan(fillIn(migration.spec.pipeline!.statements!.sql, migration, 1));
    return null;
  },
};

/** Returns why the statements of a pipeline that Sluice deploys cannot be used. */
function statementProblem(parsed: ParsedSpec): string | null {
  const { pipeline } = parsed.spec;
  if (!pipeline?.statements)
    return `a pipeline of type ${pipeline?.type} needs its statements: { sql: ... } or { file: ... }`;
  try {
    return CHECKS[pipeline.type](parsed as MigrationSpec);
  } catch (error) {
    return (error as Error).message;
  }
}

function pipelineIssues(parsed: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const { pipeline } = parsed.spec;
  const add = (message: string, ...path: string[]): void =>
    void issues.push({ path: ['spec', 'pipeline', ...path], message });
  if (!pipeline) return issues;
  const { place, foreign, needsGroups } = HOSTS.of(pipeline.type);
  if (needsGroups && pipeline.groups.length === 0)
    add('name the consumer group(s), because the drain proof needs them', 'groups');
  for (const key of foreign)
    if (pipeline[key]) add(`does not belong to pipeline type ${pipeline.type}`, key);
  if (place === null) return issues;
  if (!pipeline[place.key]) add(`a pipeline of type ${pipeline.type} needs its ${place.is}`);
  const problem = statementProblem(parsed);
  if (problem) add(problem, 'statements');
  return issues;
}

/** Adds an issue at a path below `spec`. */
type Add = (message: string, ...path: (string | number)[]) => void;

function contradictions(parsed: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const add: Add = (message, ...path) => void issues.push({ path: ['spec', ...path], message });
  missingParts(parsed, add);
  batchActions(parsed, add);
  validationRules(parsed, add);
  approvals(parsed, add);
  finalResult(parsed, add);
  laterWindows(parsed, add);
  return issues;
}

/** Checks that batch, pipeline, sink and fence have what they need. */
function missingParts({ spec }: ParsedSpec, add: Add): void {
  const { batch, pipeline, sink, cutover } = spec;
  if (batch && !pipeline)
    add('a batch needs a pipeline that computes the same result; add spec.pipeline', 'batch');
  if (pipeline && !batch)
    add('a pipeline needs a batch to be compared with; add spec.batch', 'pipeline');
  if (sink && !pipeline)
    add('a sink needs a pipeline whose output it writes; add spec.pipeline', 'sink');
  if (cutover.fence === 'source' && !batch)
    add('without a batch, no writes can be fenced, so omit fence', 'cutover', 'fence');
  if (
    batch &&
    pipeline &&
    [...batch.result.key].sort().join() !== [...pipeline.output.key].sort().join()
  ) {
    add(
      `must name the same columns as batch.result.key (${batch.result.key.join(', ')})`,
      'pipeline',
      'output',
      'key',
    );
  }
}

/**
 * Checks that `batch.resume` and `batch.retire` use no parameter. Postgres would refuse such a
 * statement, for example in the middle of a rollback.
 */
function batchActions({ spec }: ParsedSpec, add: Add): void {
  for (const action of ['resume', 'retire'] as const) {
    const order = spec.batch?.[action];
    if (order && 'sql' in order && /\$\d/.test(order.sql))
      add(
        'only batch.pause gets the parameter $1, the end of the pause; remove $1',
        'batch',
        action,
        'sql',
      );
  }
}

/** Checks closed keys and the engine of the windows. */
function validationRules({ spec }: ParsedSpec, add: Add): void {
  const { batch, validation } = spec;
  if (validation.closedKeys && !runLogOf(batch))
    add(
      'closedKeys needs the run log, which contains the cut of each run; add batch.runs.table',
      'validation',
      'closedKeys',
    );
  if (validation.engine === 'flink') {
    if (!engineGateway(spec))
      add(
        'the engine flink needs the URL of a SQL Gateway; add validation.gateway',
        'validation',
        'engine',
      );
  } else if (validation.gateway)
    add(
      'is used only with engine: flink; add engine: flink, or omit gateway',
      'validation',
      'gateway',
    );
}

/** Checks that enough approvers are named for the quorum, and that the change window can open. */
function approvals({ spec }: ParsedSpec, add: Add): void {
  const { cutover } = spec;
  const { notBefore, notAfter } = cutover.approval;
  if (notBefore !== null && notAfter !== null && Date.parse(notAfter) <= Date.parse(notBefore))
    add(
      `must be later than notBefore (${notBefore}), because otherwise no cut-over can begin`,
      'cutover',
      'approval',
      'notAfter',
    );
  if (
    cutover.approval.approvers.length > 0 &&
    cutover.approval.approvers.length < cutover.approval.quorum
  ) {
    add(
      `quorum ${cutover.approval.quorum} needs more people than the ${cutover.approval.approvers.length} named approvers`,
      'cutover',
      'approval',
      'quorum',
    );
  }
}

/** Refuses a witness for the engine Flink, which reads every row in every window. */
function laterWindows({ spec }: ParsedSpec, add: Add): void {
  const { engine, laterWindows: chosen } = spec.validation;
  if (chosen !== 'witness') return;
  const refuse = (message: string): void => add(message, 'validation', 'laterWindows');
  if (engine === 'flink')
    refuse(
      'the engine flink reads every row in every window; use engine: embedded, or laterWindows: scan',
    );
}

/**
 * Checks `cutover.finalResult: { recent }`, with which an earlier window replaces the comparison of
 * the results under the fence.
 */
function finalResult({ spec }: ParsedSpec, add: Add): void {
  const { finalResult: chosen, maxHold } = spec.cutover;
  if (chosen === 'fenced') return;
  const refuse = (message: string): void => add(message, 'cutover', 'finalResult');
  if (!spec.batch) refuse('without a batch, there is no result; omit finalResult');
  else if (resultMode({ spec } as Pick<MigrationSpec, 'spec'>) !== 'exact')
    refuse(
      'recent needs exact results, but this spec compares its results in settled mode; use fenced',
    );
  if (durationMs(chosen.recent) <= durationMs(maxHold))
    refuse(
      `recent: ${chosen.recent} is not longer than maxHold (${maxHold}), so every result would be too old at the commit; allow at least the time of the query and of the hold`,
    );
}
