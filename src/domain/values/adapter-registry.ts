// A registry maps the name of a mode to its adapter, which is the object with what is
// specific to the mode. Code that needs the adapter of a mode gets it from the registry.

/**
 * Holds one adapter for each mode. `Mode` lists the modes of the spec, so a missing adapter is a
 * compile error.
 */
export class Registry<Mode extends string, Adapter> {
  readonly #adapters: Map<string, Adapter>;
  readonly #what: string;

  constructor(what: string, adapters: Readonly<Record<Mode, Adapter>>) {
    this.#what = what;
    this.#adapters = new Map(Object.entries<Adapter>(adapters));
  }

  /** Returns the adapter of a mode. Throws for an unregistered mode. */
  of(mode: string): Adapter {
    const adapter = this.#adapters.get(mode);
    if (adapter === undefined) throw new Error(`no ${this.#what} is named ${mode}`);
    return adapter;
  }

  /** Adds the adapter of one more mode. Returns a function that removes it again. */
  register(mode: string, adapter: Adapter): () => void {
    if (this.#adapters.has(mode)) throw new Error(`a ${this.#what} is named ${mode} already`);
    this.#adapters.set(mode, adapter);
    return () => void this.#adapters.delete(mode);
  }
}
