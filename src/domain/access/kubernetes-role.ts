// Lists the rights in Kubernetes that a migration with `connector.control: strimzi` needs.
import { offsetsMapOf, strimziOf } from '../migration/connect-control.js';
import type { MigrationSpec } from '../migration/spec.js';

export interface RoleRule {
  /** The API group of the resource. Empty for the core group of Kubernetes. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** The objects that the rule allows. Absent for all objects of the namespace. */
  readonly names?: readonly string[];
  readonly why: string;
}

const STRIMZI_GROUP = 'kafka.strimzi.io';

/** Returns the rules. The list is empty if the migration does not use Strimzi. */
export function kubernetesRules({ metadata, spec }: MigrationSpec): RoleRule[] {
  const strimzi = strimziOf(spec.connector);
  if (!strimzi) return [];
  const cluster: RoleRule = {
    group: STRIMZI_GROUP,
    resource: 'kafkaconnects',
    verbs: ['get'],
    names: [strimzi.cluster],
    why: 'Sluice reads the plugins and the state of the Kafka Connect cluster',
  };
  const connectors = { group: STRIMZI_GROUP, resource: 'kafkaconnectors' };
  if (spec.existing)
    return [
      cluster,
      { ...connectors, verbs: ['get'], why: 'Sluice reads the connector that already runs' },
    ];
  return [
    cluster,
    {
      ...connectors,
      verbs: ['create', 'delete', 'get', 'patch'],
      why: 'Sluice creates, pauses and removes its connectors',
    },
    {
      group: '',
      resource: 'configmaps',
      verbs: ['get'],
      names: [offsetsMapOf(metadata.name)],
      why: 'Before Sluice removes a connector, it reads the offsets that the operator lists there',
    },
  ];
}

/** Returns the Role as a manifest, or null if the migration does not use Strimzi. */
export function roleOf(migration: MigrationSpec): object | null {
  const strimzi = strimziOf(migration.spec.connector);
  if (!strimzi) return null;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: `sluice-${migration.metadata.name}`, namespace: strimzi.namespace },
    rules: kubernetesRules(migration).map(({ group, resource, verbs, names }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs,
      ...(names ? { resourceNames: names } : {}),
    })),
  };
}
