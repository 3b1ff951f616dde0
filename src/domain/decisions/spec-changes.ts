// Compares a running migration's spec with the spec that a person wants, and decides which changes
// the run accepts.
import { durationMs } from '../values/duration.js';
import { canonicalJson } from '../values/canonical-json.js';
import type { MigrationSpec } from '../migration/spec.js';

/** One changed field. The values are JSON texts; `(absent)` if the field does not exist. */
export interface FieldChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A changed field that the run refuses. */
export interface RefusedChange {
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

export interface SpecEdit {
  readonly changes: readonly FieldChange[];
  readonly refused: readonly RefusedChange[];
  /** The changed fields that evidence depends on. If there are any, a new epoch begins. */
  readonly evidence: readonly string[];
  /**
   * True if the rules of the approval or `maxHold` change. If the spec names approvers, the edit
   * then needs `quorum` signatures.
   */
  readonly changesGate: boolean;
}

/** The part of the run's state that decides which changes the run accepts. */
export interface EditStanding {
  readonly isCommitted: boolean;
}

const ABSENT = '(absent)';

type Role = 'plain' | 'gate' | 'soak' | 'evidence';

/**
 * The fields that may change, by path. An entry also allows changes of all fields below its path.
 */
export const EDITABLE: Readonly<Record<string, Role>> = {
  'spec.source.limits': 'plain',
  'spec.validation.every': 'plain',
  'spec.validation.laterWindows': 'plain',
  'spec.validation.compare.ignore': 'evidence',
  'spec.validation.compare.tolerances': 'evidence',
  'spec.validation.waivers': 'evidence',
  'spec.cutover.approval': 'gate',
  'spec.cutover.maxHold': 'gate',
  'spec.cutover.finalResult': 'evidence',
  'spec.soak.for': 'soak',
  'spec.soak.passes': 'soak',
};

const AFTER_COMMIT: Readonly<Record<Exclude<Role, 'plain' | 'soak'>, string>> = {
  gate: 'the cut-over is committed, so this field is no longer read',
  evidence: 'the cut-over is committed, and its evidence depends on this field',
};

/**
 * Compares two specs. Returns all changes, the changes that the run refuses, and the effect of all
 * changes on evidence and approval.
 */
export function specEdit(
  before: MigrationSpec,
  after: MigrationSpec,
  standing: EditStanding,
): SpecEdit {
  const changes = differences('', before, after);
  const refused: RefusedChange[] = [];
  const evidence: string[] = [];
  let changesGate = false;
  for (const { path } of changes) {
    const role = roleOf(path);
    const refusal = refusalOf(path, role, before, after, standing);
    if (refusal) refused.push(refusal);
    if (role === 'gate') changesGate = true;
    if (role === 'evidence' && isRestedOn(path, before, after)) evidence.push(path);
  }
  return { changes, refused, evidence, changesGate };
}

/** Returns one change for a person: `path: before → after`. */
export const describeEdit = ({ path, before, after }: FieldChange): string =>
  `${path}: ${before} → ${after}`;

/**
 * Returns the changed fields. Only fields that are objects on both sides are compared part by part;
 * a list is one field.
 */
function differences(path: string, before: unknown, after: unknown): FieldChange[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      differences(path === '' ? name : `${path}.${name}`, before[name], after[name]),
    );
  }
  const [left, right] = [textOf(before), textOf(after)];
  return left === right ? [] : [{ path, before: left, after: right }];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (value === undefined ? ABSENT : canonicalJson(value));

function roleOf(path: string): Role | null {
  const known = Object.keys(EDITABLE).find(
    (field) => path === field || path.startsWith(`${field}.`),
  );
  return known === undefined ? null : EDITABLE[known]!;
}

function refusalOf(
  path: string,
  role: Role | null,
  before: MigrationSpec,
  after: MigrationSpec,
  { isCommitted }: EditStanding,
): RefusedChange | null {
  if (path === 'metadata.name')
    return {
      path,
      reason: 'this is the spec of another migration',
      remedy: 'edit the migration that has this name',
    };
  if (role === null)
    return {
      path,
      reason: 'the field cannot change while the migration runs',
      remedy: 'put the former value back, or roll back and start again with the new spec',
    };
  if (!isCommitted || role === 'plain') return null;
  if (role === 'soak') return isShorter(path, before, after) ? tooShort(path) : null;
  return {
    path,
    reason: AFTER_COMMIT[role],
    remedy: 'put the former value back, or roll back',
  };
}

const tooShort = (path: string): RefusedChange => ({
  path,
  reason: 'after the commit, the soak can only become longer',
  remedy: 'two people may end it early: sluice complete',
});

function isShorter(path: string, before: MigrationSpec, after: MigrationSpec): boolean {
  return path === 'spec.soak.for'
    ? durationMs(after.spec.soak.for) < durationMs(before.spec.soak.for)
    : after.spec.soak.passes < before.spec.soak.passes;
}

/**
 * Returns whether evidence depends on the changed field. A waiver names a class of differences or a
 * preflight check. Windows use only the waivers for classes, so a change of another waiver does not
 * affect evidence.
 */
function isRestedOn(path: string, before: MigrationSpec, after: MigrationSpec): boolean {
  if (!path.startsWith('spec.validation.waivers')) return true;
  const ofClasses = ({ spec }: MigrationSpec) =>
    spec.validation.waivers.filter((waiver) => waiver.class !== undefined);
  return canonicalJson(ofClasses(before)) !== canonicalJson(ofClasses(after));
}
