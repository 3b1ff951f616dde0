// Explores the states that the model of the cut-over's protocol can reach: all of them, or the
// first `atMost` states.
import { inState } from './invariants.js';
import { moves } from './moves.js';
import type { Rules } from './mutants.js';
import { search, type Explored } from './search.js';
import { initial, keyOf } from './state.js';

export function explore(
  rules: Rules,
  { writers, atMost, isCalm = false }: { writers: number; atMost: number; isCalm?: boolean },
): Explored {
  return search(
    { first: initial(writers), keyOf, moves: (world) => moves(world, rules, isCalm), inState },
    atMost,
  );
}
