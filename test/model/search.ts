// Searches the states ("worlds") that a model can reach, breadth first and up to a limit. The first
// broken invariant that it finds therefore has the shortest possible list of moves.

/**
 * A model: its first world and the moves in each world. Every move is one step that nothing can
 * interrupt. `broken` is the invariant that this move broke, or null.
 */
export interface Game<W> {
  readonly first: W;
  readonly keyOf: (world: W) => string;
  readonly moves: (
    world: W,
  ) => readonly { readonly label: string; readonly world: W; readonly broken: string | null }[];
  /** Returns the invariant that this state breaks. Null if it breaks none. */
  readonly inState: (world: W) => string | null;
}

export interface Explored {
  readonly states: number;
  /** The broken invariant. Null if every invariant held in every state within the bound. */
  readonly broken: string | null;
  /** The moves that led to the broken invariant. */
  readonly story: readonly string[];
  /** True if every reachable world was explored. */
  readonly isWhole: boolean;
}

export function search<W>({ first, keyOf, moves, inState }: Game<W>, atMost: number): Explored {
  const seen = new Set([keyOf(first)]);
  const queue: W[] = [first];
  const cameFrom: { parent: number; label: string }[] = [{ parent: -1, label: '' }];
  for (let at = 0; at < queue.length; at += 1) {
    for (const { label, world, broken } of moves(queue[at]!)) {
      const key = keyOf(world);
      const wrong = broken ?? (seen.has(key) ? null : inState(world));
      if (wrong)
        return {
          states: seen.size,
          broken: wrong,
          story: [...storyOf(cameFrom, at), label],
          isWhole: false,
        };
      if (seen.has(key)) continue;
      if (seen.size >= atMost)
        return { states: seen.size, broken: null, story: [], isWhole: false };
      seen.add(key);
      queue.push(world);
      cameFrom.push({ parent: at, label });
    }
    queue[at] = undefined as W; // this frees memory, because nothing reads the world again
  }
  return { states: seen.size, broken: null, story: [], isWhole: true };
}

function storyOf(cameFrom: readonly { parent: number; label: string }[], at: number): string[] {
  const story: string[] = [];
  for (let here = at; here > 0; here = cameFrom[here]!.parent) story.unshift(cameFrom[here]!.label);
  return story;
}
