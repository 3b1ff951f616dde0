// Lists all subjects of a plan. Its windows compare these subjects: the captured tables (or the one
// query that a connector polls), and the results that the batch's queries define.
import { captureOf, capturesOf, whySettled } from '../capture/index.js';
import { STORED_SUBJECT, type Subject } from '../evidence/subjects.js';
import type { MigrationSpec } from '../migration/spec.js';

/**
 * Returns the captured tables as subjects, or the query that a connector polls
 * (`connector.query`). Records of a polled subject name no transaction and cannot be aligned with a
 * snapshot. That subject is therefore compared in settled mode.
 */
function tableSubjects(spec: MigrationSpec): Subject[] {
  const { subjectMode } = captureOf(spec);
  return capturesOf(spec, 1).map(({ subject }) => ({ subject, mode: subjectMode }));
}

/**
 * Returns why results are compared in settled mode although the spec asks for exact mode. Null if
 * the spec asks for settled mode, or if nothing in the spec prevents exact mode. The batch's query
 * can still prevent it: see `alignQuery`.
 */
export function settledBecause({ spec }: Pick<MigrationSpec, 'spec'>): string | null {
  if (spec.validation.results === 'settled') return null;
  return whySettled({ spec });
}

/**
 * Returns the mode in which results, stages and the sink are compared, if their queries can be
 * aligned.
 */
export const resultMode = ({ spec }: Pick<MigrationSpec, 'spec'>): 'exact' | 'settled' =>
  settledBecause({ spec }) === null ? spec.validation.results : 'settled';

/**
 * Returns the subjects that a batch query defines: stages, result, sink, and the stored result when
 * the spec declares closed keys.
 */
export function resultSubjects({ spec }: Pick<MigrationSpec, 'spec'>): Subject[] {
  const { batch, pipeline, sink, validation } = spec;
  if (!batch || !pipeline) return [];
  const mode = resultMode({ spec });
  const compared = [
    ...batch.stages.map((stage) => stage.name),
    'result',
    ...(sink ? ['result@sink'] : []),
  ];
  return [
    ...compared.map((subject) => ({ subject, mode })),
    ...(validation.closedKeys ? [{ subject: STORED_SUBJECT, mode: 'batch-aligned' as const }] : []),
  ];
}

export const subjectsOf = (spec: MigrationSpec): Subject[] => [
  ...tableSubjects(spec),
  ...resultSubjects(spec),
];
