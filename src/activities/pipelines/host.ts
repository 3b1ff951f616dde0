// A host runs pipelines that Sluice deploys. Their parts are found by name after any restart.

export interface PipelineHost {
  readonly url: string;
  /** Parts in the order in which they are made; removed in reverse. */
  readonly names: readonly string[];
  /** Product and version. */
  product(): Promise<string>;
  /** Asks the host to judge the statements; nothing is run. */
  judge(): Promise<string | { detail: string; remedy: string }>;
  /** True when such a part exists, whatever its health. */
  isThere(name: string): Promise<boolean>;
  /** `running` carries an identity: another one is another deployment. */
  state(name: string): Promise<{ readonly running: string } | { readonly not: string }>;
  create(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Consumer groups that read for it, beside those that the spec names. */
  groups(): Promise<readonly string[]>;
}
