// Says how Sluice controls the connectors of a migration. It uses Kafka Connect's REST API, or
// KafkaConnector resources in Kubernetes. Strimzi's operator applies these resources to Kafka
// Connect.
import type { SecretRef } from './cluster-access.js';

export interface StrimziSpec {
  /** The namespace of the KafkaConnect resource and of the connectors. */
  readonly namespace: string;
  /** The name of the KafkaConnect resource. */
  readonly cluster: string;
  /**
   * The URL of the Kubernetes API. If absent, the worker runs in a pod of the Kubernetes cluster,
   * and uses the pod's service account.
   */
  readonly apiServer?: string | undefined;
  /** The PEM file with the CA of the API server. */
  readonly ca?: string | undefined;
  readonly tokenFrom?: SecretRef | undefined;
}

export interface ControlSpec {
  /** `rest` if absent. */
  readonly control?: 'rest' | 'strimzi' | undefined;
  /** The REST API of Kafka Connect. Absent with `control: strimzi`. */
  readonly url?: string | undefined;
  /** Present with `control: strimzi`. */
  readonly strimzi?: StrimziSpec | undefined;
}

/** Returns the part of the spec for Strimzi, or null if the REST API controls the connectors. */
export const strimziOf = ({ control, strimzi }: ControlSpec): StrimziSpec | null =>
  control === 'strimzi' && strimzi ? strimzi : null;

/** Returns a text for people and the ledger that says which Kafka Connect runs the connectors. */
export function connectPlace(connector: ControlSpec): string {
  const strimzi = strimziOf(connector);
  if (!strimzi) return connector.url ?? '';
  const { apiServer, namespace, cluster } = strimzi;
  return `KafkaConnect ${namespace}/${cluster}${apiServer === undefined ? '' : ` at ${apiServer}`}`;
}

/** The ConfigMap into which the operator writes offsets of this migration's connectors. */
export const offsetsMapOf = (migration: string): string => `sluice-${migration}-offsets`;
