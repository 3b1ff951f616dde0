// Fakes Strimzi's cluster operator and the Kafka Connect cluster behind it, because no cluster is
// available for the tests. It follows the source code of the operator, version 1.2.0. After each
// change of a connector's resource, the operator reconciles the connector, and reads its status
// from Kafka Connect once. Kafka Connect changes the state a moment later, so this status may be
// the old one.
import { randomUUID } from 'node:crypto';
import { FORBIDDEN_OPTIONS } from './connector-crd.js';
import { FakeKubernetes, type KubeObject } from './fake-kubernetes.js';

interface Connector {
  config: Record<string, string>;
  state: string;
  tasks: { id: number; state: string; worker_id: string; trace?: string }[];
  offsets: { partition: object; offset: object }[];
}

interface ResourceSpec {
  class?: string;
  tasksMax?: number;
  config?: Record<string, string>;
  state?: 'running' | 'paused' | 'stopped';
  listOffsets?: { toConfigMap: { name: string } };
}

const WANTED = { running: 'RUNNING', paused: 'PAUSED', stopped: 'STOPPED' } as const;
export const DEBEZIUM = 'io.debezium.connector.postgresql.PostgresConnector';
const USES_RESOURCES = { 'strimzi.io/use-connector-resources': 'true' };
const PLUGINS = [
  { class: DEBEZIUM, type: 'source', version: '3.7.0.Final' },
  {
    class: 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
    type: 'source',
    version: '4.3.1',
  },
];

class Refused extends Error {
  readonly reason: string;
  constructor(message: string, reason = 'ConnectRestException') {
    super(message);
    this.reason = reason;
  }
}

export class FakeStrimzi {
  readonly kubernetes = new FakeKubernetes();
  readonly connect = new Map<string, Connector>();
  /** The requests that changed something in Kafka Connect, in order. */
  readonly done: string[] = [];
  /** True if the operator does not run. */
  isAway = false;
  /** The error that Kafka Connect returns for every request, or null. */
  trouble: string | null = null;
  /** The error that Kafka Connect returns for a reset of offsets, or null. */
  resetError: string | null = null;
  /** Returns the error for a configuration, or null if Kafka Connect accepts it. */
  refuses: (config: Record<string, string>) => string | null = () => null;
  /** How long Kafka Connect takes to change the state of a connector. */
  lagMs = 5;
  #queue: Promise<void> = Promise.resolve();

  async start(tls?: { readonly key: string; readonly cert: string }): Promise<string> {
    this.putCluster();
    this.kubernetes.watch((change, kind, { metadata: { name } }) => {
      if (kind !== 'kafkaconnectors' || this.isAway) return;
      this.#queue = this.#queue.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (change === 'DELETED') this.connect.delete(name);
        else this.#reconcile(name);
      });
    });
    return this.kubernetes.start(tls);
  }

  stop(): Promise<void> {
    return this.kubernetes.stop();
  }

  /** Creates or replaces the resource that describes the Kafka Connect cluster. */
  putCluster(
    more: { annotations?: Record<string, string>; spec?: object; status?: object } = {},
  ): void {
    this.kubernetes.put('kafkaconnects', 'my-connect', {
      metadata: { annotations: more.annotations ?? USES_RESOURCES },
      spec: { replicas: 2, config: { 'config.providers': 'env' }, ...more.spec },
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'Ready', status: 'True' }],
        connectorPlugins: PLUGINS,
        ...more.status,
      },
    });
  }

  /** Lets the task of a connector fail. The operator does not notice it. */
  fail(name: string, trace: string): void {
    this.connect.get(name)!.tasks = [{ id: 0, state: 'FAILED', worker_id: 'a:8083', trace }];
  }

  #reconcile(name: string): void {
    const resource = this.kubernetes.get('kafkaconnectors', name);
    if (!resource || resource.metadata.annotations?.['strimzi.io/pause-reconciliation'] === 'true')
      return;
    const observed = { observedGeneration: resource.metadata.generation };
    try {
      const warnings = this.#carryOut(name, resource);
      const connector = this.connect.get(name)!;
      const { state, tasks } = connector;
      const connectorStatus = { name, connector: { state, worker_id: 'a:8083' }, tasks };
      const ready = tasks.some((task) => task.state === 'FAILED')
        ? { type: 'NotReady', status: 'True', reason: 'Throwable', message: 'tasks have failed: 0' }
        : { type: 'Ready', status: 'True' };
      const conditions = [ready, ...warnings];
      this.#write(name, { ...observed, conditions, connectorStatus, tasksMax: 1, topics: [] });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { reason, message } = error;
      this.#write(name, {
        ...observed,
        conditions: [{ type: 'NotReady', status: 'True', reason, message }],
      });
    }
  }

  /**
   * Writes the status only if it differs, because each write is an event that starts another
   * reconciliation.
   */
  #write(name: string, status: Record<string, unknown>): void {
    const resource = this.kubernetes.get('kafkaconnectors', name);
    if (!resource || JSON.stringify(resource.status) === JSON.stringify(status)) return;
    this.kubernetes.put('kafkaconnectors', name, { ...resource, status: structuredClone(status) });
  }

  #carryOut(name: string, resource: KubeObject): object[] {
    if (this.trouble !== null) throw new Refused(this.trouble, 'ConnectTimeoutException');
    const spec = resource.spec as ResourceSpec;
    const options = Object.entries(spec.config ?? {}).filter(
      ([key]) => !FORBIDDEN_OPTIONS.includes(key),
    );
    const config = {
      ...Object.fromEntries(options),
      name,
      'connector.class': spec.class!,
      'tasks.max': String(spec.tasksMax),
    };
    const wanted = WANTED[spec.state ?? 'running'];
    const known = this.connect.get(name);
    const isSame = known && sorted(known.config) === sorted(config);
    const error = isSame ? null : this.refuses(config);
    if (error !== null)
      throw new Refused(
        `${known ? `PUT /connectors/${name}/config` : 'POST /connectors'} returned 400 (400): ${error}`,
      );
    if (!known) {
      this.done.push(`create ${name} ${wanted}`);
      this.connect.set(name, { config, state: wanted, tasks: [], offsets: [] });
      if (wanted !== 'STOPPED') this.#become(name, wanted);
      return [];
    }
    if (!isSame) this.done.push(`configure ${name}`);
    known.config = config;
    if (known.state !== wanted) this.#become(name, wanted);
    return [...this.#offsets(name, spec, resource), ...this.#restarts(name, resource)];
  }

  #become(name: string, state: string): void {
    this.done.push(`${state} ${name}`);
    setTimeout(() => {
      const connector = this.connect.get(name);
      if (!connector) return;
      connector.state = state;
      connector.tasks = state === 'STOPPED' ? [] : [{ id: 0, state, worker_id: 'a:8083' }];
      if (state === 'RUNNING')
        connector.offsets = [{ partition: { server: name }, offset: { lsn: 42 } }];
    }, this.lagMs);
  }

  #restarts(name: string, { metadata }: KubeObject): object[] {
    const task = metadata.annotations?.['strimzi.io/restart-task'];
    if (task === undefined && metadata.annotations?.['strimzi.io/restart'] !== 'true') return [];
    this.done.push(task === undefined ? `restart ${name}` : `restart task ${task} of ${name}`);
    this.#become(name, this.connect.get(name)!.state);
    this.#unmark(name, 'strimzi.io/restart', 'strimzi.io/restart-task');
    return [];
  }

  #offsets(name: string, spec: ResourceSpec, { metadata }: KubeObject): object[] {
    const asked = metadata.annotations?.['strimzi.io/connector-offsets'];
    const connector = this.connect.get(name)!;
    const warning = (reason: string, message: string): object[] => [
      { type: 'Warning', status: 'True', reason, message },
    ];
    if (asked === 'list') {
      const map = spec.listOffsets?.toConfigMap.name;
      if (map === undefined) return warning('ListOffsets', 'missing property listOffsets');
      const owner = { kind: 'KafkaConnector', name, uid: metadata.uid };
      this.kubernetes.put('configmaps', map, {
        metadata: { ownerReferences: [owner] },
        data: { 'offsets.json': JSON.stringify({ offsets: connector.offsets }) },
      });
    } else if (asked === 'reset') {
      if (connector.state !== 'STOPPED')
        return warning('ResetOffsets', 'Connector is not in STOPPED state');
      if (this.resetError !== null) return warning('ResetOffsets', this.resetError);
      this.done.push(`reset ${name}`);
      connector.offsets = [];
    } else return [];
    this.#unmark(name, 'strimzi.io/connector-offsets');
    return [];
  }

  #unmark(name: string, ...keys: string[]): void {
    const resource = structuredClone(this.kubernetes.get('kafkaconnectors', name)!);
    for (const key of keys) delete resource.metadata.annotations![key];
    this.kubernetes.put('kafkaconnectors', name, resource);
  }
}

const sorted = (config: Record<string, string>): string =>
  JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Creates the resource of a connector as a person would, without Sluice. */
export const foreignConnector = (fake: FakeStrimzi, name: string, annotations = {}): KubeObject =>
  fake.kubernetes.put('kafkaconnectors', name, {
    metadata: { uid: randomUUID(), labels: { 'strimzi.io/cluster': 'my-connect' }, annotations },
    spec: { class: DEBEZIUM, tasksMax: 1, config: {}, state: 'running' },
  });
