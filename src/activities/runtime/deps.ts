// Defines the clients and secrets that activities get. They are built once by the composition root,
// and nothing here reads the environment.
import { ConnectRest } from '../../clients/http/connect-rest.js';
import { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Ledger } from '../../clients/ledger/ledger.js';
import type { ApproverKeys } from '../../clients/signatures.js';
import type { ResolveSecret } from '../../clients/postgres/connection.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';

/**
 * A Temporal namespace. The id tells clusters apart that have namespaces of one name; null where
 * Temporal does not tell it.
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
  /** Folder for state files; undefined = none are kept. */
  readonly stateDir?: string | undefined;
  /** Bytes that windows may hold in key tables; above it they go to disk. */
  readonly windowMemory?: number;
  /** Bytes of a table that a window reads in one snapshot of the source. */
  readonly snapshotBytes?: number;
}

/**
 * Two namespaces that share a ledger would each take the other's running migration for dead. Null =
 * it is ours.
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
 * One Kafka connection per cluster and worker; dropped after a failure, so that the next attempt
 * connects afresh.
 */
export class Systems {
  readonly #secret: ResolveSecret;
  readonly #ports = new Map<string, KafkaPort>();
  readonly #retired = new Set<KafkaPort>();

  constructor(secret: ResolveSecret) {
    this.#secret = secret;
  }

  kafka({ spec }: MigrationSpec): KafkaPort {
    const key = JSON.stringify(spec.kafka);
    const port = this.#ports.get(key) ?? new KafkaPort(spec.kafka, this.#secret);
    this.#ports.set(key, port);
    return port;
  }

  connect({ spec }: MigrationSpec): ConnectRest {
    return new ConnectRest(spec.connector.url);
  }

  /**
   * Makes the next call to `kafka` connect again, after a failure. The old connections close later,
   * because other activities may still use them.
   */
  renew(): void {
    for (const port of this.#ports.values()) {
      this.#retired.add(port);
      setTimeout(
        () => void closeAll([port]).finally(() => this.#retired.delete(port)),
        STILL_IN_USE_MS,
      ).unref();
    }
    this.#ports.clear();
  }

  async close(): Promise<void> {
    await closeAll([...this.#ports.values(), ...this.#retired]);
    this.#ports.clear();
    this.#retired.clear();
  }
}

const STILL_IN_USE_MS = 120_000;

async function closeAll(ports: readonly KafkaPort[]): Promise<void> {
  await Promise.all(ports.map((port) => port.disconnect().catch(() => undefined)));
}
