// Reads Strimzi's KafkaConnect resource, which describes the Kafka Connect cluster.
import { Problem } from '../../domain/failure.js';
import type { Plugin } from '../http/connect-control.js';
import type { ApiServer } from './api-server.js';
import { API_VERSION, conditionOf, type Condition, type Metadata } from './connector-resource.js';

export const USES_RESOURCES = 'strimzi.io/use-connector-resources';
/** Strimzi's images contain this connector, whose version is the version of Kafka. */
const PART_OF_KAFKA = 'org.apache.kafka.connect.mirror.MirrorSourceConnector';

export interface KafkaConnect {
  readonly metadata: Metadata;
  readonly spec: {
    readonly version?: string;
    readonly replicas?: number;
    readonly config?: Readonly<Record<string, unknown>>;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly connectorPlugins?: readonly Plugin[];
  };
}

interface Home {
  readonly namespace: string;
  readonly cluster: string;
}

/** Returns the resource, or null if it does not exist. */
export const getKafkaConnect = (
  api: ApiServer,
  { namespace, cluster }: Home,
): Promise<KafkaConnect | null> =>
  api.get<KafkaConnect>(
    `/apis/${API_VERSION}/namespaces/${namespace}/kafkaconnects/${encodeURIComponent(cluster)}`,
  );

/**
 * Returns why Strimzi does not apply the KafkaConnector resources of this cluster. Returns null if
 * it does.
 */
export function whyNotUsable(
  { metadata, spec, status }: KafkaConnect,
  { namespace, cluster }: Home,
): Problem | null {
  const named = `KafkaConnect ${namespace}/${cluster}`;
  if (metadata.annotations?.[USES_RESOURCES] !== 'true')
    return new Problem(
      'unreachable',
      `${named} does not use connector resources`,
      `set its annotation ${USES_RESOURCES}: "true". The operator then deletes every connector that has no KafkaConnector resource, so create these resources first`,
    );
  if (spec.replicas === 0)
    return new Problem('unreachable', `${named} has 0 replicas`, 'set its spec.replicas');
  const notReady = conditionOf({ status }, 'NotReady');
  if (notReady)
    return new Problem(
      'unreachable',
      `${named} is not ready: ${notReady.reason ?? 'no reason'}: ${notReady.message ?? ''}`,
      'repair the Kafka Connect cluster',
    );
  if (status?.observedGeneration !== metadata.generation || !status?.connectorPlugins)
    return new Problem(
      'unreachable',
      `the operator has not yet applied the current ${named}`,
      'wait until it is Ready, and check the cluster operator',
    );
  return null;
}

/**
 * Returns the version and the plugins of the cluster. Throws Problem `unreachable` if the resource
 * does not exist, or if `whyNotUsable` finds a problem.
 */
export async function readKafkaConnect(
  api: ApiServer,
  home: Home,
): Promise<{ readonly version: string; readonly plugins: readonly Plugin[] }> {
  const found = await getKafkaConnect(api, home);
  if (!found)
    throw new Problem(
      'unreachable',
      `KafkaConnect ${home.namespace}/${home.cluster} does not exist`,
      'correct connector.strimzi.namespace and cluster',
    );
  const problem = whyNotUsable(found, home);
  if (problem) throw problem;
  const plugins = found.status!.connectorPlugins!;
  const kafka = plugins.find((plugin) => plugin.class === PART_OF_KAFKA)?.version;
  return { version: kafka ?? found.spec.version ?? 'unknown', plugins };
}
