// Reads the status of a connector from its resource. The operator writes that status when the
// resource changes, and otherwise every two minutes. Changing an annotation makes the operator
// write the status sooner.
import type { AwaitedState, ConnectorStatus } from '../http/connect-control.js';
import type { ApiServer } from './api-server.js';
import { ASKED_AT, OWNER, awaitedOf, statusOf, type KafkaConnector } from './connector-resource.js';
import type { OwnConnectors } from './own-connectors.js';

/** The pauses between readings of the status, and between requests to the operator. */
export interface Pace {
  /** The minimum time between two readings of a status by one caller. */
  readonly spacingMs: number;
  /**
   * If the connector is not in the state that its resource asks for, the operator is asked again
   * after this time. The time doubles with each such request, up to LONGEST_MS.
   */
  readonly askAgainMs: number;
}

export const USUAL_PACE: Pace = { spacingMs: 150, askAgainMs: 250 };
const LONGEST_MS = 2000;
/** After this time, the operator is asked again even if the connector is in the wanted state. */
const STALE_MS = 30_000;

export class FreshStatus {
  readonly #api: ApiServer;
  readonly #own: OwnConnectors;
  readonly #migration: string;
  #last = 0;
  readonly #spacingMs: number;
  #askAgainMs: number;

  constructor(api: ApiServer, own: OwnConnectors, migration: string, pace: Pace) {
    this.#api = api;
    this.#own = own;
    this.#migration = migration;
    this.#spacingMs = pace.spacingMs;
    this.#askAgainMs = pace.askAgainMs;
  }

  /** Returns the status, or null if the resource does not exist. Throws what `statusOf` throws. */
  async read(name: string): Promise<ConnectorStatus | null> {
    const wait = this.#last + this.#spacingMs - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.#last = Date.now();
    const found = await this.#own.read(name);
    if (!found) return null;
    try {
      const status = statusOf(found);
      const isWanted = isSettled(status, awaitedOf(found));
      await this.#askAgain(found, isWanted ? STALE_MS : this.#askAgainMs);
      return status;
    } catch (error) {
      await this.#askAgain(found, this.#askAgainMs);
      throw error;
    }
  }

  /**
   * Asks the operator to read the status again, unless it was asked less than `afterMs` ago. Does
   * nothing if the migration did not create the connector, because asking changes the resource.
   */
  async #askAgain({ metadata }: KafkaConnector, afterMs: number): Promise<void> {
    const { [OWNER]: owner, [ASKED_AT]: asked = '' } = metadata.annotations ?? {};
    if (owner !== this.#migration) return;
    if (Math.abs(Date.now() - Date.parse(asked)) < afterMs) return;
    this.#askAgainMs = Math.min(LONGEST_MS, 2 * this.#askAgainMs);
    const annotations = { [ASKED_AT]: new Date().toISOString() };
    const { resourceVersion } = metadata;
    await this.#api
      .patch(this.#own.path(metadata.name), { metadata: { resourceVersion, annotations } })
      .catch(() => undefined); // the status was read anyway, and a later call asks again
  }
}

/**
 * Returns whether the connector and all its tasks are in the awaited state. A connector without
 * tasks counts only if the awaited state is STOPPED.
 */
const isSettled = (status: ConnectorStatus, awaited: AwaitedState): boolean =>
  (status.tasks.length > 0 || awaited === 'STOPPED') &&
  [status.connector, ...status.tasks].every(({ state }) => state === awaited);
