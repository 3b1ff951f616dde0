// Defines the clients and secrets that activities get. src/wiring/worker.ts builds them once. This
// code does not read the environment.
import type { ConnectControl } from '../../clients/http/connect-control.js';
import { ConnectRest } from '../../clients/http/connect-rest.js';
import { httpAccess } from '../../clients/http/http-access.js';
import { apiAccess, type PodIdentity } from '../../clients/kubernetes/api-access.js';
import { ApiServer } from '../../clients/kubernetes/api-server.js';
import { StrimziConnect } from '../../clients/kubernetes/strimzi-connect.js';
import { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Ledger } from '../../clients/ledger/ledger.js';
import type { ApproverKeys } from '../../clients/signatures.js';
import type { ResolveSecret } from '../../clients/postgres/connection.js';
import type { Gauges } from './gauges.js';
import { strimziOf, type StrimziSpec } from '../../domain/migration/connect-control.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { stopIfCancelled } from './poll-until.js';

/**
 * A Temporal namespace. The id distinguishes namespaces of the same name in two clusters. It is
 * null if Temporal does not return an id.
 */
export interface Namespace {
  readonly name: string;
  readonly id: string | null;
}

export interface Deps {
  readonly secret: ResolveSecret;
  readonly ledger: Ledger;
  readonly systems: Systems;
  /** The namespace of the worker. Undefined in tests without Temporal. */
  readonly namespace?: Namespace;
  /** The approvers whose signatures this worker can check. */
  readonly approvers: ApproverKeys;
  /** The folder for state files. If undefined, windows keep no state files. */
  readonly stateDir?: string | undefined;
  /**
   * The memory that key tables may use, in bytes. If the key tables of a comparison need more, the
   * comparison uses files on disk.
   */
  readonly windowMemory?: number;
  /** The measurements of this process, for its metrics. Undefined in tests. */
  readonly gauges?: Gauges;
  /** The size in bytes above which a window reads a table in several snapshots. */
  readonly snapshotBytes?: number;
}

/**
 * Returns the namespace that the ledger has for a migration, or null if it is this worker's
 * namespace or unknown. Without this check, a migration that runs in a different namespace would
 * seem to be dead.
 */
export function otherNamespace(
  recorded: { namespace: string | null; namespace_id: string | null },
  here: Namespace | undefined,
): string | null {
  if (!here || recorded.namespace === null) return null;
  const isOther =
    recorded.namespace_id !== null && here.id !== null
      ? recorded.namespace_id !== here.id
      : recorded.namespace !== here.name;
  return isOther
    ? `namespace ${recorded.namespace}${recorded.namespace === here.name ? ' of another Temporal cluster' : ''}`
    : null;
}

/**
 * Holds one Kafka connection for each `spec.kafka`, which names a cluster and a login. After a
 * failure, `renew` drops the connection, so that the next attempt opens a new one.
 */
export class Systems {
  readonly #secret: ResolveSecret;
  readonly #now: () => number;
  readonly #pod: PodIdentity | null;
  readonly #ports = new Map<string, { readonly port: KafkaPort; readonly since: number }>();
  readonly #retired = new Set<KafkaPort>();

  /** `pod` is the service account of this process. Null if it does not run in Kubernetes. */
  constructor(
    secret: ResolveSecret,
    now: () => number = () => performance.now(),
    pod: PodIdentity | null = null,
  ) {
    this.#secret = secret;
    this.#now = now;
    this.#pod = pod;
  }

  kafka({ spec }: MigrationSpec): KafkaPort {
    const key = JSON.stringify(spec.kafka);
    const open = this.#ports.get(key);
    if (open) return open.port;
    const port = new KafkaPort(spec.kafka, this.#secret);
    this.#ports.set(key, { port, since: this.#now() });
    return port;
  }

  connect({ metadata, spec }: Pick<MigrationSpec, 'metadata' | 'spec'>): ConnectControl {
    const strimzi = strimziOf(spec.connector);
    if (strimzi) {
      const home = { ...strimzi, migration: metadata.name };
      return new StrimziConnect(this.kubernetes(strimzi), home, stopIfCancelled);
    }
    const { url = '' } = spec.connector; // the parser refuses a spec without it
    return new ConnectRest(url, stopIfCancelled, httpAccess(url, spec.connector, this.#secret));
  }

  kubernetes(strimzi: StrimziSpec): ApiServer {
    return new ApiServer(() => apiAccess(strimzi, this.#secret, this.#pod));
  }

  /**
   * Drops the connection for this spec after a failure, so that the next call of `kafka` opens a
   * new one. The old connection closes later, because other activities may still use it. Other
   * clusters keep their connections. A connection younger than `NEW_MS` stays. Otherwise, each of
   * many failures, even of a different system, would leave one more connection open.
   */
  renew({ spec }: MigrationSpec): void {
    const key = JSON.stringify(spec.kafka);
    const open = this.#ports.get(key);
    if (!open || this.#now() - open.since < NEW_MS) return;
    const { port } = open;
    this.#ports.delete(key);
    this.#retired.add(port);
    setTimeout(
      () => void closeAll([port]).finally(() => this.#retired.delete(port)),
      STILL_IN_USE_MS,
    ).unref();
  }

  async close(): Promise<void> {
    const open = [...this.#ports.values()].map(({ port }) => port);
    await closeAll([...open, ...this.#retired]);
    this.#ports.clear();
    this.#retired.clear();
  }
}

const STILL_IN_USE_MS = 120_000;
const NEW_MS = 10_000;

async function closeAll(ports: readonly KafkaPort[]): Promise<void> {
  await Promise.all(ports.map((port) => port.disconnect().catch(() => undefined)));
}
