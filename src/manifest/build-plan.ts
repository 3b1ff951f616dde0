// Builds the plan: what a migration will create, do and leave behind, as data. Evidence and
// approvals contain the plan hash, so they are valid only for this plan.
import { createHash } from 'node:crypto';
import { debeziumPostgresConfig } from '../connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../connectors/jdbc-sink.js';
import { aclsOf, type Acl } from '../domain/access/acls.js';
import { roleOf } from '../domain/access/kubernetes-role.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import type { CutoverStep } from '../domain/plan/resolved-plan.js';
import { neededByEngine } from '../domain/migration/engine-access.js';
import { resolve } from '../domain/plan/resolve.js';
import { plannedObjects, type PlannedObject } from '../domain/objects/kinds.js';
import type { OwnedObject } from '../domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import type { Mode } from '../domain/evidence/subjects.js';

export interface Plan {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Plan';
  readonly name: string;
  readonly hash: string;
  readonly generation: number;
  readonly creates: readonly PlannedObject[];
  /** Objects that exist already. The migration never changes or removes them. */
  readonly adopts?: readonly OwnedObject[];
  readonly connectors: readonly {
    readonly name: string;
    readonly config: Readonly<Record<string, string>>;
  }[];
  readonly comparisons: readonly {
    readonly subject: string;
    readonly mode: Mode;
    /** The reason why a result is not compared exactly. */
    readonly because?: string;
  }[];
  readonly cutover: readonly CutoverStep[];
  /** The ACLs that each principal needs. Empty if Kafka does not authenticate its clients. */
  readonly acls: readonly Acl[];
  /** Sentences about what Flink's processes need for comparisons. Absent if they need nothing. */
  readonly needs?: readonly string[];
  /** The Role that the worker needs in Kubernetes. Absent without Strimzi. */
  readonly role?: object;
  /** The guarantees that this spec weakens, which an approver must know. */
  readonly notes: readonly string[];
}

/**
 * Returns the plan hash: 16 hex digits over the whole spec without its labels, in canonical JSON.
 */
export function planHash(spec: MigrationSpec): string {
  const { metadata, ...rest } = spec;
  return createHash('sha256')
    .update(canonicalJson({ ...rest, name: metadata.name }))
    .digest('hex')
    .slice(0, 16);
}

export function buildPlan(spec: MigrationSpec, generation = 1): Plan {
  const plan = resolve({ spec, generation });
  const needed = neededByEngine(spec.spec);
  const role = roleOf(spec);
  // The plan does not contain the configuration of a polling connector, because that configuration
  // names columns that only the database knows. `doctor` reads these columns.
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Plan',
    name: plan.metadata.name,
    hash: planHash(spec),
    generation,
    creates: plannedObjects(plan),
    ...(plan.adopts.length > 0 ? { adopts: plan.adopts } : {}),
    connectors: [
      ...(plan.capture.hasSlot
        ? [{ name: plan.names.connector, config: debeziumPostgresConfig(plan) }]
        : []),
      ...(plan.sink ? [{ name: plan.sink.connector, config: jdbcSinkConfig(plan) }] : []),
    ],
    comparisons: plan.subjects,
    cutover: plan.steps,
    acls: aclsOf(plan),
    ...(needed.length > 0 ? { needs: needed } : {}),
    ...(role ? { role } : {}),
    notes: plan.notes,
  };
}
