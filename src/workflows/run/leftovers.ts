// Records the objects that a run leaves behind.
import type { State } from './state.js';

/**
 * Adds objects to the leftovers, each only once. After the run continued as new, it may add the
 * same objects again.
 */
export function addLeftovers(state: State, objects: State['leftovers']): void {
  const isKnown = ({ kind, name }: State['leftovers'][number]): boolean =>
    state.leftovers.some((known) => known.kind === kind && known.name === name);
  state.leftovers = [...state.leftovers, ...objects.filter((object) => !isKnown(object))];
}
