// Settled mode: a derived result, re-computed in each round's snapshot, is compared with the stream
// after that round's barrier. PURE.
// Each round's snapshot is taken after the previous round's stream side was read. When a key's
// expected row is the same in two rounds in a row, the earlier stream side had read all of its
// inputs. Equal there means matched; different and not written since means a difference. Every
// other key is asked again. Keys that never settle are unstable, never clean.
import type { Counts, Difference } from '../domain/evidence/window.js';
import { compareRows, keyRecord, type Shape, type StreamRow } from './comparison.js';
import type { Unequal } from './not-capturable.js';

export interface Round {
  /** Result of the batch's query in this round's snapshot: key → row (null = could not be decoded). */
  readonly expected: ReadonlyMap<string, string | null>;
  /** The stream side after this round's barrier. */
  readonly actual: ReadonlyMap<string, StreamSide>;
  /** Keys that the output topic wrote since the previous round (and until this round's stream side was read). */
  readonly touched: ReadonlySet<string>;
}

/**
 * Options for tables that a connector copies unchanged. The window compares the keys of its first
 * round.
 */
export interface Captured {
  /** Differences that the connector had no way to notice: unknown, not proven wrong. */
  readonly notCapturable: (difference: Unequal) => boolean;
}

type StreamSide = Pick<StreamRow, 'row' | 'why' | 'proven'>;

export class SettledComparison {
  readonly differences: Difference[] = [];
  readonly #shape: Shape;
  readonly #captured: Captured | undefined;
  readonly #counts = { matched: 0, missing: 0, extraneous: 0, mismatched: 0, unknown: 0 };
  readonly #settled = new Set<string>();
  #open = new Set<string>();
  /** The last round: what was expected, and what the stream side held for the keys still open. */
  #previous: Earlier | undefined;
  #rounds = 0;

  constructor(shape: Shape, captured?: Captured) {
    this.#shape = shape;
    this.#captured = captured;
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** True when another round can decide more keys. */
  get isOpen(): boolean {
    return this.#rounds < (this.#captured ? 1 : 2) || this.#open.size > 0;
  }

  /** Differences are proven already: more rounds cannot make this window pass. */
  get hasDifferences(): boolean {
    return this.#counts.missing + this.#counts.extraneous + this.#counts.mismatched > 0;
  }

  add(round: Round): void {
    const previous = this.#previous;
    const open = new Set<string>();
    const actual = new Map<string, string | null>();
    for (const key of allKeys(round)) {
      if (this.#settled.has(key)) continue;
      if (this.#captured && previous && !this.#open.has(key)) continue; // came after the window began
      if (this.#captured && this.#isEqualNow(key, round)) continue;
      if (previous && this.#settle(key, previous, round)) continue;
      open.add(key);
      const row = round.actual.get(key);
      if (row) actual.set(key, row.row);
    }
    this.#open = open;
    this.#rounds += 1;
    this.#previous = { expected: round.expected, actual };
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
      stream: this.#previous?.actual.get(key) ?? null,
    }));
    return [...this.differences, ...unstable];
  }

  /** A row that was copied, not computed: behind the barrier, equal is equal. */
  #isEqualNow(key: string, { expected, actual }: Round): boolean {
    if (
      !expected.has(key) ||
      !actual.has(key) ||
      !this.#equal(key, expected.get(key) ?? null, actual.get(key)!.row)
    )
      return false;
    this.#counts.matched += 1;
    this.#settled.add(key);
    return true;
  }

  /** True when the key is settled, one way or the other. */
  #settle(key: string, previous: Earlier, round: Round): boolean {
    const isExpected = round.expected.has(key);
    if (
      previous.expected.has(key) !== isExpected ||
      previous.expected.get(key) !== round.expected.get(key)
    )
      return false;
    const expected = round.expected.get(key) ?? null;
    const wasThere = previous.actual.has(key);
    if (
      wasThere === isExpected &&
      (!isExpected || this.#equal(key, expected, previous.actual.get(key) ?? null))
    ) {
      if (isExpected) {
        this.#counts.matched += 1;
        const entry = round.touched.has(key) ? undefined : round.actual.get(key);
        if (entry) entry.proven = true; // a newer record is another entry
      }
      this.#settled.add(key);
      return true;
    }
    if (round.touched.has(key)) return false;
    this.#settled.add(key);
    this.#differ(key, isExpected, expected, round.actual.get(key));
    return true;
  }

  #equal(key: string, expected: string | null, actual: string | null): boolean {
    return compareRows(this.#shape, key, expected, actual, () => undefined) === 'matched';
  }

  #differ(
    key: string,
    isExpected: boolean,
    expected: string | null,
    actual: StreamSide | undefined,
  ): void {
    const record = keyRecord(this.#shape, key);
    if (
      this.#captured?.notCapturable({
        expected: isExpected ? expected : undefined,
        actual: actual?.row,
      })
    ) {
      this.#counts.unknown += 1;
      this.differences.push({
        class: 'not-capturable',
        key: record,
        column: null,
        batch: expected,
        stream: actual?.row ?? null,
      });
    } else if (!isExpected && actual) {
      this.#counts.extraneous += 1;
      this.differences.push({
        class: 'extraneous',
        key: record,
        column: null,
        batch: null,
        stream: actual.row,
      });
    } else if (isExpected && !actual) {
      this.#counts.missing += 1;
      this.differences.push({
        class: 'missing',
        key: record,
        column: null,
        batch: expected,
        stream: null,
      });
    } else if (actual) {
      const report = (d: Difference): void =>
        void this.differences.push(
          actual.proven && d.class === 'mismatched' ? { ...d, class: 'stale' } : d,
        );
      this.#counts[compareRows(this.#shape, key, expected, actual.row, report, actual.why)] += 1;
    }
  }
}

interface Earlier {
  readonly expected: ReadonlyMap<string, string | null>;
  readonly actual: ReadonlyMap<string, string | null>;
}

function* allKeys(round: Round): Generator<string> {
  yield* round.expected.keys();
  for (const key of round.actual.keys()) if (!round.expected.has(key)) yield key;
}
