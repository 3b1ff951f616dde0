// Reads KafkaConnector resources, and changes only those that the migration created. A change is
// repeated if another client, such as the operator, has changed the resource at the same time.
import { Problem } from '../../domain/failure.js';
import type { ApiServer } from './api-server.js';
import {
  OWNER,
  connectorFolder,
  type KafkaConnector,
  type StrimziHome,
} from './connector-resource.js';

const ATTEMPTS = 20;

export class OwnConnectors {
  readonly #api: ApiServer;
  readonly #migration: string;
  /** The path of all connectors of the namespace. */
  readonly folder: string;

  constructor(api: ApiServer, home: Pick<StrimziHome, 'namespace' | 'migration'>) {
    this.#api = api;
    this.#migration = home.migration;
    this.folder = connectorFolder(home);
  }

  path(name: string): string {
    return `${this.folder}/${encodeURIComponent(name)}`;
  }

  read(name: string): Promise<KafkaConnector | null> {
    return this.#api.get<KafkaConnector>(this.path(name));
  }

  demandOurs({ metadata }: KafkaConnector): void {
    const owner = metadata.annotations?.[OWNER];
    if (owner === this.#migration) return;
    throw new Problem(
      'object-not-ours',
      owner === undefined
        ? `KafkaConnector ${metadata.name} has no annotation ${OWNER}, so Sluice did not create it`
        : `KafkaConnector ${metadata.name} belongs to migration ${owner}`,
    );
  }

  /**
   * Merges the result of `change` into the resource. `change` returns null if nothing has to
   * change. Returns the resource, or null if it does not exist. Throws Problem `object-not-ours`
   * if the migration did not create the resource.
   */
  async change(
    name: string,
    change: (found: KafkaConnector) => { readonly metadata?: object } | null,
  ): Promise<KafkaConnector | null> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const found = await this.read(name);
      if (!found) return null;
      this.demandOurs(found);
      const patch = change(found);
      if (patch === null) return found;
      const { resourceVersion } = found.metadata;
      const changed = await this.#api.patch<KafkaConnector>(this.path(name), {
        ...patch,
        metadata: { ...patch.metadata, resourceVersion },
      });
      if (changed !== 'changed') return changed;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
    throw new Problem(
      'unreachable',
      `KafkaConnector ${name} could not be changed, because another client changed it each time`,
    );
  }
}

/** Waits until `isDone` returns true. Returns false if this takes longer than `limitMs`. */
export async function waitUntil(limitMs: number, isDone: () => Promise<boolean>): Promise<boolean> {
  const started = Date.now();
  for (;;) {
    if (await isDone()) return true;
    const waited = Date.now() - started;
    if (waited > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 50 + waited / 10)));
  }
}
