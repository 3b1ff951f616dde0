// Lists all subjects of a plan: what is captured, and what the batch's query defines.
import { captureOf, capturesOf } from '../capture/index.js';
import { resultSubjects, type Subject } from '../evidence/subjects.js';
import type { MigrationSpec } from '../migration/spec.js';

/**
 * Returns the captured tables, or the query, as subjects. Polled subjects have no transaction by
 * which to align, so they are compared in settled mode.
 */
function tableSubjects(spec: MigrationSpec): Subject[] {
  const { subjectMode } = captureOf(spec);
  return capturesOf(spec, 1).map(({ subject }) => ({ subject, mode: subjectMode }));
}

export const subjectsOf = (spec: MigrationSpec): Subject[] => [
  ...tableSubjects(spec),
  ...resultSubjects(spec),
];
