// Defines the figures that the worker of the benchmark `many` reports about itself.

/** Migrations whose name begins with this have faked systems. */
export const FAKED = 'faked-';

/** One start of an activity. */
export interface Start {
  readonly name: string;
  readonly queue: string;
  /** The time from the server's scheduling of the activity until its code ran. */
  readonly waitedMs: number;
}

export interface Sample {
  readonly at: number;
  /** Bytes of memory. The heap is measured in the main thread, after a garbage collection. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** The processor time of the process since its start. */
  readonly cpuMs: number;
  /** Timers, sockets and other things that keep an event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Activities that run, by kind. */
  readonly underWay: Readonly<Record<string, number>>;
  readonly starts: readonly Start[];
}
