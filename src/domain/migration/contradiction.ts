// Collects contradictions between parts of a spec. Each capture and each route has a function that
// finds its own contradictions.

/** A contradiction between parts of a spec: where it is, and why. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Returns a list and a function that adds to it. The function puts `spec` before each path. */
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
