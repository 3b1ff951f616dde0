// Defines what Sluice needs of Kafka Connect. Two clients implement it: `ConnectRest` calls Kafka
// Connect's REST API, and `StrimziConnect` writes resources from which Strimzi's operator
// configures Kafka Connect.

export interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly trace?: string;
}

export interface ConnectorStatus {
  /** The state as Kafka Connect reports it, or `PENDING`. */
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly TaskStatus[];
  /**
   * The state that the last request asked for. The connector may not have reached it yet. Absent if
   * the client cannot know the requested state.
   */
  readonly awaited?: AwaitedState;
}

export type AwaitedState = 'RUNNING' | 'PAUSED' | 'STOPPED';

/** The state of a connector whose last change is not carried out yet. Its real state is unknown. */
export const PENDING = 'PENDING';

export interface Plugin {
  readonly class: string;
  readonly version?: string | null;
}

type Config = Readonly<Record<string, string>>;

export interface ConnectControl {
  /** Returns the version of Kafka Connect, or `unknown` if it is not stated. */
  version(): Promise<string>;
  /** Returns the classes of the installed connectors, or with `all`, those of all plugins. */
  pluginClasses(which?: 'all'): Promise<string[]>;
  plugins(): Promise<readonly Plugin[]>;
  /**
   * Returns the errors that Kafka Connect finds in a configuration, each as `key: error`. Returns
   * null if a configuration can only be checked by creating the connector.
   */
  validate(connectorClass: string, config: Config): Promise<string[] | null>;
  /** Returns the connector's stored configuration, or null if there is no such connector. */
  config(name: string): Promise<Record<string, string> | null>;
  /** Returns the connector's status, or null if there is no such connector (yet). */
  status(name: string): Promise<ConnectorStatus | null>;
  /** Creates a connector in the state STOPPED. It does not run before `resume`. */
  createStopped(name: string, config: Config): Promise<void>;
  putConfig(name: string, config: Config): Promise<void>;
  resume(name: string): Promise<void>;
  /** Pauses the connector. Its tasks stay but do nothing. */
  pause(name: string): Promise<void>;
  /** Stops the connector. Returns false if there is no such connector (yet). */
  stop(name: string): Promise<boolean>;
  restartFailed(name: string): Promise<void>;
  /** Returns the offsets that the connector stored, one for each of its source partitions. */
  offsets(name: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** Deletes the offsets of a connector. The connector MUST be STOPPED. */
  deleteOffsets(name: string): Promise<void>;
  /** Deletes the connector. Returns false if there is no such connector (yet). */
  delete(name: string): Promise<boolean>;
  /** Says what a person can do to resume a connector. */
  howToResume(name: string): string;
}
