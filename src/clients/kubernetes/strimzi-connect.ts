// Controls connectors through Strimzi's KafkaConnector resources. The operator carries out a change
// a moment later, so a change has taken effect only when the resource's status says so. Sluice
// changes only resources that carry the migration's name in an annotation.
import { Problem } from '../../domain/failure.js';
import {
  PENDING,
  type ConnectControl,
  type ConnectorStatus,
  type Plugin,
} from '../http/connect-control.js';
import type { ApiServer } from './api-server.js';
import { ConnectorOffsets } from './connector-offsets.js';
import {
  CLUSTER_LABEL,
  NotCreated,
  RESTART,
  RESTART_TASK,
  configOf,
  configPatch,
  isNotCreated,
  newConnector,
  specOf,
  type KafkaConnector,
  type StrimziHome,
} from './connector-resource.js';
import { FreshStatus, USUAL_PACE, type Pace } from './fresh-status.js';
import { OwnConnectors, waitUntil } from './own-connectors.js';
import { readKafkaConnect } from './kafka-connect-resource.js';

type Config = Readonly<Record<string, string>>;

/** The time in which the operator must carry out a change, in milliseconds. */
const CARRIED_OUT_MS = 60_000;

export class StrimziConnect implements ConnectControl {
  readonly #own: OwnConnectors;
  readonly #offsets: ConnectorOffsets;
  readonly #api: ApiServer;
  readonly #home: StrimziHome;
  readonly #fresh: FreshStatus;
  readonly #beforeMaking: () => void;
  readonly #limitMs: number;

  /**
   * `beforeMaking` runs before a connector is created or configured, and then before each reading
   * of its status. If it throws, so does the call. The operator has `limitMs` for a change.
   */
  constructor(
    api: ApiServer,
    home: StrimziHome,
    beforeMaking: () => void = () => undefined,
    { limitMs = CARRIED_OUT_MS, ...pace }: Partial<Pace> & { readonly limitMs?: number } = {},
  ) {
    this.#api = api;
    this.#home = home;
    this.#own = new OwnConnectors(api, home);
    this.#offsets = new ConnectorOffsets(api, this.#own, home);
    this.#fresh = new FreshStatus(api, this.#own, home.migration, { ...USUAL_PACE, ...pace });
    this.#beforeMaking = beforeMaking;
    this.#limitMs = limitMs;
  }

  async version(): Promise<string> {
    return (await readKafkaConnect(this.#api, this.#home)).version;
  }

  async pluginClasses(which?: 'all'): Promise<string[]> {
    if (which)
      throw new Problem(
        'unsupported',
        'the status of a KafkaConnect resource lists connectors, but not converters',
      );
    return (await this.plugins()).map((plugin) => plugin.class);
  }

  async plugins(): Promise<readonly Plugin[]> {
    return (await readKafkaConnect(this.#api, this.#home)).plugins;
  }

  validate(): Promise<null> {
    return Promise.resolve(null);
  }

  /**
   * Returns the configuration. If the connector belongs to a different KafkaConnect cluster, adds a
   * key with the cluster's name, so that a caller notices the difference.
   */
  async config(name: string): Promise<Record<string, string> | null> {
    const found = await this.#own.read(name);
    if (!found) return null;
    const cluster = found.metadata.labels?.[CLUSTER_LABEL] ?? '';
    return {
      ...configOf(found),
      ...(cluster === this.#home.cluster ? {} : { [CLUSTER_LABEL]: cluster }),
    };
  }

  /**
   * Returns the status, or null if there is no connector. Also returns null if Kafka Connect
   * refused to create a connector in the state stopped. Then only its resource exists.
   */
  async status(name: string): Promise<ConnectorStatus | null> {
    try {
      return await this.#fresh.read(name);
    } catch (error) {
      if (error instanceof NotCreated && error.isWantedStopped) return null;
      throw error;
    }
  }

  /**
   * Creates the resource, and waits until the operator has created the connector. If Kafka Connect
   * refuses the configuration, first deletes the resource, and then throws Problem
   * `connector-failed`. After any other Problem, the resource may exist.
   */
  async createStopped(name: string, config: Config): Promise<void> {
    this.#beforeMaking();
    const { metadata } = await this.#api.create<KafkaConnector>(
      this.#own.folder,
      newConnector(this.#home, name, config),
    );
    const refused = await this.#whyRefused(name, isStopped).catch((error: unknown) => {
      throw mayExist(error);
    });
    if (refused === null) return;
    try {
      await this.#api.delete(this.#own.path(name), metadata.uid);
      if (!(await waitUntil(this.#limitMs, async () => (await this.#own.read(name)) === null)))
        throw new Problem('unreachable', `${refused.message}; its resource was not deleted`);
    } catch (error) {
      throw mayExist(error);
    }
    throw refused;
  }

  /** Changes the configuration. If Kafka Connect refuses it, restores the old one and throws. */
  async putConfig(name: string, config: Config): Promise<void> {
    this.#beforeMaking();
    let before: KafkaConnector | undefined;
    await this.#demand(name, (found) => {
      before ??= found;
      return { spec: configPatch(found.spec, specOf(config)) };
    });
    const refused = await this.#whyRefused(name, isCarriedOut);
    if (refused === null) return;
    const old = before!.spec;
    await this.#demand(name, ({ spec }) => ({ spec: configPatch(spec, old) }));
    throw refused;
  }

  async resume(name: string): Promise<void> {
    await this.#demand(name, asking('running'));
  }

  async pause(name: string): Promise<void> {
    await this.#demand(name, asking('paused'));
  }

  async stop(name: string): Promise<boolean> {
    const found = await this.#own.change(name, asking('stopped'));
    return found !== null && !isNotCreated(found);
  }

  /** Asks for a restart of the connector if it failed, and of its first failed task. */
  async restartFailed(name: string): Promise<void> {
    const status = await this.status(name);
    const task = status?.tasks.find(({ state }) => state === 'FAILED');
    const annotations = {
      ...(status?.connector.state === 'FAILED' ? { [RESTART]: 'true' } : {}),
      ...(task ? { [RESTART_TASK]: String(task.id) } : {}),
    };
    if (Object.keys(annotations).length > 0)
      await this.#own.change(name, () => ({ metadata: { annotations } }));
  }

  offsets(name: string): Promise<Readonly<Record<string, unknown>>[]> {
    return this.#offsets.list(name, this.#limitMs);
  }

  deleteOffsets(name: string): Promise<void> {
    return this.#offsets.reset(name, this.#limitMs);
  }

  async delete(name: string): Promise<boolean> {
    const found = await this.#own.read(name);
    if (!found) return false;
    this.#own.demandOurs(found);
    return this.#api.delete(this.#own.path(name), found.metadata.uid);
  }

  howToResume(name: string): string {
    return `set spec.state: running in KafkaConnector ${this.#home.namespace}/${name}`;
  }

  async #demand(name: string, change: (found: KafkaConnector) => object | null): Promise<void> {
    if ((await this.#own.change(name, change)) === null)
      throw new Problem('connector-failed', `KafkaConnector ${name} does not exist`);
  }

  /**
   * Waits until the operator has carried out the change. Returns the Problem if Kafka Connect
   * refused the configuration, otherwise null. Throws Problem `unreachable` after `limitMs`.
   */
  async #whyRefused(
    name: string,
    isDone: (status: ConnectorStatus) => boolean,
  ): Promise<Problem | null> {
    let last = 'its status does not change';
    let refused: Problem | null = null;
    const hasEnded = await waitUntil(this.#limitMs, async () => {
      this.#beforeMaking();
      try {
        const status = await this.#fresh.read(name);
        if (!status) throw new Problem('unreachable', `KafkaConnector ${name} was deleted`);
        return isDone(status);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        last = error.message;
        if (error.code !== 'connector-failed') return false;
        refused = error;
        return true;
      }
    });
    if (hasEnded) return refused;
    throw new Problem(
      'unreachable',
      `Strimzi's operator has not carried out KafkaConnector ${name} within ${this.#limitMs / 1000} s: ${last}`,
      `check the cluster operator and KafkaConnect ${this.#home.cluster}; the migration continues by itself`,
    );
  }
}

const isCarriedOut = ({ connector }: ConnectorStatus): boolean => connector.state !== PENDING;

const isStopped = ({ connector, tasks }: ConnectorStatus): boolean =>
  connector.state === 'STOPPED' && tasks.length === 0;

const asking =
  (state: 'running' | 'paused' | 'stopped') =>
  ({ spec }: KafkaConnector): object | null =>
    (spec.state ?? 'running') === state ? null : { spec: { state } };

/**
 * Returns the error with the code `unreachable`, which means that the resource may exist. With
 * another code, the caller would conclude that nothing was created, and release its claim to the
 * resource's name.
 */
const mayExist = (error: unknown): unknown =>
  error instanceof Problem && error.code !== 'unreachable'
    ? new Problem('unreachable', error.message, error.remedy)
    : error;
