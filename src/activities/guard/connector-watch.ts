// Checks the connectors for the guard. It finds connectors that a person deleted, paused or edited,
// adopted connectors with a failed task, and failed connectors that have recovered. It reports a
// new problem only after some seconds, because a connector that restarts looks broken for a moment.
import type { ConnectControl } from '../../clients/http/connect-control.js';
import { taskFailure, withPlanned } from '../capture/connectors/connector-state.js';
import {
  isSameTrouble,
  troublesOf,
  type ConnectorTrouble,
} from '../../domain/capture/connector-trouble.js';

const SETTLE_MS = 15_000;
/**
 * A failing task runs for a moment after each restart. It counts as recovered only after it has run
 * for this long (ms).
 */
const RECOVERED_MS = 45_000;

type Watched = Pick<ConnectControl, 'config' | 'status' | 'howToResume'>;

export interface WatchedConnector {
  readonly name: string;
  readonly planned: Readonly<Record<string, string>>;
  /** Returns the configuration keys whose stored value differs from the planned value. */
  readonly driftOf: (stored: Readonly<Record<string, string>>) => readonly string[];
  /**
   * True if Sluice must not restart the connector. A failed task is then a problem for a person.
   */
  readonly isAdopted?: boolean;
  /** Returns true if a different value of this configuration key changes what is captured. */
  readonly captures: (key: string) => boolean;
}

export class ConnectorWatch {
  readonly #rest: Watched;
  readonly #known: readonly ConnectorTrouble[];
  #seen: { readonly trouble: ConnectorTrouble; readonly since: number }[] = [];
  readonly #runningSince = new Map<string, number>();

  /** `known` contains the problems that the run already knows. */
  constructor(rest: Watched, known: readonly ConnectorTrouble[]) {
    this.#rest = rest;
    this.#known = known;
  }

  /**
   * Returns all lasting problems if they differ from the known problems, otherwise null. Throws if
   * Kafka Connect does not answer.
   */
  async look(
    connectors: readonly WatchedConnector[],
    now: number,
  ): Promise<readonly ConnectorTrouble[] | null> {
    const found: ConnectorTrouble[] = [];
    for (const connector of connectors) found.push(...(await this.#lookAt(connector, now)));
    this.#seen = found.map((trouble) => ({
      trouble,
      since: this.#seen.find((seen) => isSameTrouble(seen.trouble, trouble))?.since ?? now,
    }));
    const isKnown = (trouble: ConnectorTrouble): boolean =>
      this.#known.some((known) => isSameTrouble(known, trouble));
    const lasting = this.#seen
      .filter(({ trouble, since }) => isKnown(trouble) || now - since >= SETTLE_MS)
      .map(({ trouble }) => trouble);
    return lasting.length === this.#known.length && lasting.every(isKnown) ? null : lasting;
  }

  async #lookAt(
    { name, planned, driftOf, captures, isAdopted }: WatchedConnector,
    now: number,
  ): Promise<ConnectorTrouble[]> {
    const stored = await this.#rest.config(name);
    const status = stored && (await this.#rest.status(name));
    if (stored && !status) return []; // for a moment, a new connector has no status
    const keys = stored ? driftOf(stored) : [];
    const edited = isAdopted ? keys : withPlanned(keys, planned);
    const state = status ? status.connector.state : null;
    const recaptured = keys.filter(captures);
    const tasks = status?.tasks.map((task) => task.state) ?? [];
    const isRunning =
      state === 'RUNNING' && tasks.length > 0 && tasks.every((t) => t === 'RUNNING');
    if (!isRunning) this.#runningSince.delete(name);
    else if (!this.#runningSince.has(name)) this.#runningSince.set(name, now);
    const hasRecovered = isRunning && now - this.#runningSince.get(name)! >= RECOVERED_MS;
    const howToResume = this.#rest.howToResume(name);
    if (isAdopted) {
      const adopted = { failure: stored ? await taskFailure(this.#rest, name) : null };
      return troublesOf({ name, state, edited, recaptured, howToResume, adopted });
    }
    const failed = this.#known.filter((t) => t.connector === name && t.code === 'connector-failed');
    return [
      ...troublesOf({ name, state, edited, recaptured, howToResume }),
      ...(hasRecovered ? [] : failed),
    ];
  }
}
