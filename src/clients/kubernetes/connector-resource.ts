// Translates between a connector's configuration and Strimzi's KafkaConnector resource, and reads
// the resource's status. The rules of the resource are from Strimzi's CRD and its operator's code.
import { remedyOf } from '../../domain/capture/connector-remedies.js';
import { Problem } from '../../domain/failure.js';
import { quoteForeign, withoutValues } from '../../domain/values/foreign-text.js';
import {
  PENDING,
  type AwaitedState,
  type ConnectorStatus,
  type TaskStatus,
} from '../http/connect-control.js';

export const API_VERSION = 'kafka.strimzi.io/v1';
/** The label with the name of the KafkaConnect resource. */
export const CLUSTER_LABEL = 'strimzi.io/cluster';
/** The annotation with the migration that created the resource. */
export const OWNER = 'sluice.dev/migration';
/** The annotation with the time at which Sluice last asked the operator for a new status. */
export const ASKED_AT = 'sluice.dev/asked-at';
export const RESTART = 'strimzi.io/restart';
export const RESTART_TASK = 'strimzi.io/restart-task';
export const OFFSETS = 'strimzi.io/connector-offsets';
const PAUSE_RECONCILIATION = 'strimzi.io/pause-reconciliation';

export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly kind: string; readonly uid: string }[];
}

export interface ConnectorSpec {
  readonly class?: string;
  readonly tasksMax?: number;
  readonly version?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly state?: 'running' | 'paused' | 'stopped';
}

export interface KafkaConnector {
  readonly metadata: Metadata;
  readonly spec: ConnectorSpec;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly connectorStatus?: unknown;
  };
}

type Config = Readonly<Record<string, string>>;

/** Says where the connectors of a migration are. */
export interface StrimziHome {
  readonly namespace: string;
  /** The name of the KafkaConnect resource. */
  readonly cluster: string;
  /** The migration that owns the connectors. */
  readonly migration: string;
}

/** Returns the path of all connectors of a namespace. */
export const connectorFolder = ({ namespace }: Pick<StrimziHome, 'namespace'>): string =>
  `/apis/${API_VERSION}/namespaces/${namespace}/kafkaconnectors`;

/** Returns the resource of a new connector, which must not start yet. */
export const newConnector = (
  { namespace, cluster, migration }: StrimziHome,
  name: string,
  config: Config,
): object => ({
  apiVersion: API_VERSION,
  kind: 'KafkaConnector',
  metadata: {
    name,
    namespace,
    labels: { [CLUSTER_LABEL]: cluster, 'app.kubernetes.io/managed-by': 'sluice' },
    annotations: { [OWNER]: migration },
  },
  spec: { ...specOf(config), state: 'stopped' },
});

const CLASS = 'connector.class';
const TASKS = 'tasks.max';
const VERSION = 'connector.plugin.version';
/**
 * Strimzi ignores these keys in `spec.config`, because they are fields of the resource. The name is
 * in `metadata`, and the others are in `spec`.
 */
const FORBIDDEN = new Set(['name', CLASS, TASKS, VERSION]);

/** Returns the fields of `spec` for a configuration. */
export function specOf(config: Config): ConnectorSpec {
  const { [CLASS]: className, [TASKS]: tasks, [VERSION]: version } = config;
  return {
    ...(className === undefined ? {} : { class: className }),
    ...(tasks === undefined ? {} : { tasksMax: Number(tasks) }),
    ...(version === undefined ? {} : { version }),
    config: Object.fromEntries(Object.entries(config).filter(([key]) => !FORBIDDEN.has(key))),
  };
}

/** Returns the configuration that a resource asks for. Its inverse is `specOf`. */
export function configOf({ metadata, spec }: KafkaConnector): Record<string, string> {
  const { class: className, tasksMax, version, config = {} } = spec;
  return {
    ...Object.fromEntries(
      Object.entries(config)
        .filter(([key]) => !FORBIDDEN.has(key))
        .map(([key, value]) => [key, asText(value)]),
    ),
    name: metadata.name,
    ...(className === undefined ? {} : { [CLASS]: className }),
    ...(tasksMax === undefined ? {} : { [TASKS]: String(tasksMax) }),
    ...(version === undefined ? {} : { [VERSION]: version }),
  };
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** Returns the merge patch of `spec` that replaces the configuration. */
export function configPatch(before: ConnectorSpec, after: ConnectorSpec): object {
  const removed = Object.keys(before.config ?? {}).filter((key) => !(key in (after.config ?? {})));
  return {
    class: after.class ?? null,
    tasksMax: after.tasksMax ?? null,
    version: after.version ?? null,
    config: { ...after.config, ...Object.fromEntries(removed.map((key) => [key, null])) },
  };
}

const STATES = { running: 'RUNNING', paused: 'PAUSED', stopped: 'STOPPED' } as const;

/** Returns the state that the resource asks for. */
export const awaitedOf = ({ spec }: KafkaConnector): AwaitedState =>
  STATES[spec.state ?? 'running'];

/**
 * Returns the connector's status as the operator read it from Kafka Connect. The state is `PENDING`
 * until the operator has carried out the latest change of the resource (`metadata.generation`).
 * Throws a Problem if the operator ignores the resource or could not carry out the change. The code
 * is `connector-failed` if Kafka Connect refused the configuration.
 */
export function statusOf(resource: KafkaConnector): ConnectorStatus {
  const { metadata, status } = resource;
  if (metadata.annotations?.[PAUSE_RECONCILIATION] === 'true')
    throw new Problem(
      'unreachable',
      `the operator ignores KafkaConnector ${metadata.name}, because its annotation ${PAUSE_RECONCILIATION} is true`,
      `remove the annotation ${PAUSE_RECONCILIATION}; the migration continues by itself`,
    );
  if (status?.observedGeneration === undefined || status.observedGeneration !== metadata.generation)
    return { connector: { state: PENDING }, tasks: [], awaited: awaitedOf(resource) };
  const { connectorStatus } = status;
  if (isConnectorStatus(connectorStatus))
    return { ...connectorStatus, awaited: awaitedOf(resource) };
  const { reason, message } = conditionOf(resource, 'NotReady') ?? {};
  const why = `${reason ?? 'no reason'}: ${quoteForeign(withoutValues(message ?? 'no message'), 400)}`;
  const text = `the operator could not carry out KafkaConnector ${metadata.name}: ${why}`;
  if (hasRefused('POST', message)) throw new NotCreated(text, awaitedOf(resource) === 'STOPPED');
  const code = hasRefused('PUT', message) ? 'connector-failed' : 'unreachable';
  throw new Problem(code, text, remedyOf(why));
}

/** Thrown if Kafka Connect refused to create the connector, so that only its resource exists. */
export class NotCreated extends Problem {
  readonly isWantedStopped: boolean;

  constructor(detail: string, isWantedStopped: boolean) {
    super('connector-failed', detail);
    this.isWantedStopped = isWantedStopped;
  }
}

/** Returns whether the operator reports that Kafka Connect refused to create the connector. */
export function isNotCreated(resource: KafkaConnector): boolean {
  try {
    statusOf(resource);
    return false;
  } catch (error) {
    return error instanceof NotCreated;
  }
}

/** Returns the condition of this type that is true. If `reason` is given, it must also match. */
export const conditionOf = (
  { status }: { readonly status?: { readonly conditions?: readonly Condition[] } | undefined },
  type: string,
  reason?: string,
): Condition | undefined =>
  status?.conditions?.find(
    (one) =>
      one.type === type && one.status === 'True' && (reason === undefined || one.reason === reason),
  );

/**
 * Returns whether the operator's message says that Kafka Connect refused a new connector (POST) or
 * a changed configuration (PUT). The HTTP statuses 404 and 409 do not count, because Connect
 * workers also send them while they start or rebalance.
 */
const hasRefused = (method: 'POST' | 'PUT', message: string | undefined): boolean =>
  new RegExp(`\\b${method} /connectors\\S* returned 4(?!04|09)\\d\\d\\b`).test(message ?? '');

function isConnectorStatus(status: unknown): status is ConnectorStatus {
  const { connector, tasks } = (status ?? {}) as Partial<ConnectorStatus>;
  const hasState = (part: Partial<TaskStatus> | undefined): boolean =>
    typeof part?.state === 'string';
  return hasState(connector) && Array.isArray(tasks) && tasks.every(hasState);
}
