// Defines how Sluice deploys a pipeline to a host (Flink or ksqlDB) and watches it there. A
// deployed pipeline consists of jobs: Flink jobs, or ksqlDB streams and tables. Sluice finds each
// job by its name, even after a restart of the host.

export interface PipelineHost {
  /** Null if Sluice deploys nothing. */
  readonly url: string | null;
  /**
   * The names of the jobs, in the order in which they are created. They are removed in reverse
   * order.
   */
  readonly names: readonly string[];
  /** Returns the product and its version. */
  product(): Promise<string>;
  /**
   * Asks the host to check the statements without running them. Returns what the host accepts, or
   * the problem with its remedy.
   */
  judge(): Promise<string | { detail: string; remedy: string }>;
  /** Returns true if the job exists, even if it is not healthy. */
  isThere(name: string): Promise<boolean>;
  /**
   * Returns `running` with the job's id if the job is running, otherwise `not` with the job's
   * state. The id changes with each deployment. A stream or table of ksqlDB that no query fills
   * always has the id `declared`.
   */
  state(name: string): Promise<{ readonly running: string } | { readonly not: string }>;
  create(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Returns those consumer groups of the pipeline that the spec does not name. */
  groups(): Promise<readonly string[]>;
}

const nothing = (): never => {
  throw new Error('this plan deploys no pipeline');
};

/** The host if Sluice deploys no pipeline. This host has no jobs. */
export const NO_HOST: PipelineHost = {
  url: null,
  names: [],
  product: nothing,
  judge: nothing,
  isThere: () => Promise.resolve(false),
  state: nothing,
  create: nothing,
  remove: nothing,
  groups: () => Promise.resolve([]),
};
