// Lists and resets the offsets of a connector through Strimzi. An annotation on the KafkaConnector
// requests this from Strimzi's operator, which removes the annotation when it is done. The operator
// writes listed offsets into a ConfigMap.
import { remedyOf } from '../../domain/capture/connector-remedies.js';
import { Problem } from '../../domain/failure.js';
import { offsetsMapOf } from '../../domain/migration/connect-control.js';
import type { ApiServer } from './api-server.js';
import {
  OFFSETS,
  conditionOf,
  type KafkaConnector,
  type Metadata,
  type StrimziHome,
} from './connector-resource.js';
import { waitUntil, type OwnConnectors } from './own-connectors.js';

interface ConfigMap {
  readonly metadata: Metadata;
  readonly data?: Readonly<Record<string, string>>;
}

/** The `reason` of the warnings that the operator writes if it cannot list or reset offsets. */
const REASONS = { list: 'ListOffsets', reset: 'ResetOffsets' } as const;

export class ConnectorOffsets {
  readonly #api: ApiServer;
  readonly #own: OwnConnectors;
  readonly #namespace: string;
  readonly #map: string;

  constructor(
    api: ApiServer,
    own: OwnConnectors,
    { namespace, migration }: Pick<StrimziHome, 'namespace' | 'migration'>,
  ) {
    this.#api = api;
    this.#own = own;
    this.#namespace = namespace;
    this.#map = offsetsMapOf(migration);
  }

  /**
   * Returns the connector's offsets in the source system. The list is empty if the connector does
   * not exist.
   */
  async list(name: string, limitMs: number): Promise<Readonly<Record<string, unknown>>[]> {
    if (!(await this.#own.read(name))) return [];
    this.#demandOperators(await this.#readMap());
    const spec = { listOffsets: { toConfigMap: { name: this.#map } } };
    const connector = await this.#carriedOut(name, 'list', { spec }, limitMs);
    if (!connector) return [];
    const map = await this.#readMap();
    const text = map?.data?.['offsets.json'];
    if (text === undefined || !map?.metadata.ownerReferences?.some(isOf(connector)))
      throw new Problem(
        'unreachable',
        `ConfigMap ${this.#map} does not have the offsets of ${name}`,
      );
    const { offsets } = JSON.parse(text) as { offsets: { offset: Record<string, unknown> }[] };
    return offsets.map(({ offset }) => offset);
  }

  /** Deletes the offsets. The connector MUST be STOPPED. */
  async reset(name: string, limitMs: number): Promise<void> {
    await this.#carriedOut(name, 'reset', {}, limitMs);
  }

  #readMap(): Promise<ConfigMap | null> {
    const path = `/api/v1/namespaces/${this.#namespace}/configmaps/${this.#map}`;
    return this.#api.get<ConfigMap>(path);
  }

  /** Throws if a ConfigMap exists that no KafkaConnector owns: the operator would overwrite it. */
  #demandOperators(map: ConfigMap | null): void {
    const owners = map?.metadata.ownerReferences ?? [];
    if (map && !owners.some(({ kind }) => kind === 'KafkaConnector'))
      throw new Problem(
        'object-not-ours',
        `ConfigMap ${this.#map} exists, and belongs to no KafkaConnector`,
      );
  }

  /** Asks the operator, and waits until it is done. Returns null if there is no connector. */
  async #carriedOut(
    name: string,
    what: 'list' | 'reset',
    patch: object,
    limitMs: number,
  ): Promise<KafkaConnector | null> {
    const asked = await this.#own.change(name, () => ({
      ...patch,
      metadata: { annotations: { [OFFSETS]: what } },
    }));
    if (!asked) return null;
    let last: KafkaConnector | null = asked;
    const isDone = await waitUntil(limitMs, async () => {
      last = await this.#own.read(name);
      return last?.metadata.annotations?.[OFFSETS] === undefined;
    });
    if (isDone) return last;
    const warning = last ? conditionOf(last, 'Warning', REASONS[what]) : undefined;
    const reason = warning?.message ?? 'it gives no reason';
    throw new Problem(
      'unreachable',
      `Strimzi's operator did not ${what} the offsets of ${name} within ${limitMs / 1000} s: ${reason}`,
      remedyOf(reason),
    );
  }
}

const isOf =
  ({ metadata }: KafkaConnector) =>
  ({ uid }: { readonly uid: string }): boolean =>
    uid === metadata.uid;
