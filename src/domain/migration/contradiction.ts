// Collects contradictions between parts of a spec. Captures and routes find their own.

/** A contradiction between parts of a spec: where it is, and why. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Collects contradictions. Paths are relative to `spec`. */
export function contradictionList(): {
  readonly found: Contradiction[];
  readonly add: (message: string, ...path: (string | number)[]) => void;
} {
  const found: Contradiction[] = [];
  return {
    found,
    add: (message, ...path) => void found.push({ path: ['spec', ...path], message }),
  };
}
