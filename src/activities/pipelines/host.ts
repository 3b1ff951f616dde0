// A host runs pipelines that Sluice deploys. Sluice finds their parts by name, even after a
// restart.

export interface PipelineHost {
  /** Null if Sluice deploys nothing. */
  readonly url: string | null;
  /** The parts, in the order in which they are created. They are removed in reverse order. */
  readonly names: readonly string[];
  /** Returns the product and its version. */
  product(): Promise<string>;
  /** Asks the host to check the statements without running them. */
  judge(): Promise<string | { detail: string; remedy: string }>;
  /** Returns true if the part exists, even if it is not healthy. */
  isThere(name: string): Promise<boolean>;
  /**
   * Returns whether the part runs. `running` contains its id, which changes with each deployment.
   */
  state(name: string): Promise<{ readonly running: string } | { readonly not: string }>;
  create(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Returns the consumer groups of the pipeline that the spec does not name. */
  groups(): Promise<readonly string[]>;
}

const nothing = (): never => {
  throw new Error('this plan deploys no pipeline');
};

/** The host of a pipeline that Sluice does not deploy: it has no parts. */
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
