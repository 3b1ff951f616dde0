// Defines the figures that the worker of the benchmark `many` reports about itself.

/** If a migration's name begins with this, its source, Kafka and Connect are fakes. */
export const FAKED = 'faked-';

/** One start of an activity. */
export interface Start {
  readonly name: string;
  readonly queue: string;
  /** The time from when the server scheduled the activity until its code ran. */
  readonly waitedMs: number;
}

export interface Sample {
  readonly at: number;
  /** The memory of the process, in bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** The processor time of the process since its start. */
  readonly cpuMs: number;
  /** The number of timers, sockets and other things that keep the event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** The number of running activities of each kind. */
  readonly underWay: Readonly<Record<string, number>>;
  readonly starts: readonly Start[];
}
