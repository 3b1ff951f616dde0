// Notes the objects that a run leaves over.
import type { State } from './state.js';

/**
 * Adds objects to the leftovers. If the run continues as new, it may add the same objects again, so
 * an object that is already there is not added twice.
 */
export function addLeftovers(state: State, objects: State['leftovers']): void {
  const isKnown = ({ kind, name }: State['leftovers'][number]): boolean =>
    state.leftovers.some((known) => known.kind === kind && known.name === name);
  state.leftovers = [...state.leftovers, ...objects.filter((object) => !isKnown(object))];
}
