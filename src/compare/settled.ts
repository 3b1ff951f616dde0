// The settled mode: a derived result, re-computed in each round's snapshot, against what the stream holds after a barrier. PURE.
// A key that did not change on either side between two rounds must be equal; one that did is asked again; leftovers are unstable, never clean.
import type { Counts, Difference } from '../domain/window.js';
import { compareRows, keyRecord, type Shape, type StreamRow } from './comparison.js';

export interface Round {
  /** Result of the batch's query in this round's snapshot: key → row (null = could not be decoded). */
  readonly expected: ReadonlyMap<string, string | null>;
  /** What the stream side held after this round's barrier. */
  readonly actual: ReadonlyMap<string, Pick<StreamRow, 'row'>>;
  /** Keys that the output topic wrote since the previous round (and until this round's stream side was read). */
  readonly touched: ReadonlySet<string>;
}

export class SettledComparison {
  readonly differences: Difference[] = [];
  readonly #shape: Shape;
  readonly #counts = { matched: 0, missing: 0, extraneous: 0, mismatched: 0, unknown: 0 };
  readonly #settled = new Set<string>();
  #open = new Set<string>();
  #previous: Round | undefined;
  #rounds = 0;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Keys not settled yet. Meaningful after two rounds. */
  get openKeys(): number {
    return this.#open.size;
  }

  add(round: Round): void {
    const previous = this.#previous;
    this.#previous = round;
    this.#rounds += 1;
    const open = new Set<string>();
    for (const key of allKeys(round)) {
      if (this.#settled.has(key)) continue;
      if (previous && isStable(key, previous, round)) this.#settle(key, round);
      else open.add(key);
    }
    // a key that vanished on both sides is settled too: gone from both
    this.#open = open;
  }

  counts(): Counts {
    return { ...this.#counts, unstable: this.#open.size };
  }

  /** Differences found, and one line per key that never held still. */
  report(): Difference[] {
    const unstable = [...this.#open].slice(0, 100).map((key) => ({
      class: 'unstable' as const,
      key: keyRecord(this.#shape, key),
      column: null,
      batch: this.#previous?.expected.get(key) ?? null,
      stream: this.#previous?.actual.get(key)?.row ?? null,
    }));
    return [...this.differences, ...unstable];
  }

  #settle(key: string, round: Round): void {
    this.#settled.add(key);
    const [isExpected, actual] = [round.expected.has(key), round.actual.get(key)];
    const record = keyRecord(this.#shape, key);
    if (!isExpected && actual) {
      this.#counts.extraneous += 1;
      this.differences.push({ class: 'extraneous', key: record, column: null, batch: null, stream: actual.row });
    } else if (isExpected && !actual) {
      this.#counts.missing += 1;
      this.differences.push({ class: 'missing', key: record, column: null, batch: round.expected.get(key) ?? null, stream: null });
    } else if (actual) {
      this.#counts[compareRows(this.#shape, key, round.expected.get(key) ?? null, actual.row, (d) => this.differences.push(d))] += 1;
    }
  }
}

function isStable(key: string, previous: Round, round: Round): boolean {
  if (round.touched.has(key)) return false;
  return previous.expected.has(key) === round.expected.has(key) && previous.expected.get(key) === round.expected.get(key);
}

function* allKeys(round: Round): Generator<string> {
  yield* round.expected.keys();
  for (const key of round.actual.keys()) if (!round.expected.has(key)) yield key;
}
