// Compares in settled mode. Each round runs the batch's query in a new snapshot and reads the
// stream after a barrier. A round's snapshot is taken after the previous round has read the stream.
// A key can settle if its expected row is the same in two rounds in a row. The stream was read
// between these two snapshots. The barrier proves that the pipeline had then processed all inputs
// of that row. If the stream's row was equal, the key matches. If the rows differed and the key has
// no newer record, the row is a difference. There is one exception: with synchronous replication,
// the stream can have a commit that waits for a standby, and that no session sees yet. While a
// snapshot may lack such a commit, no row counts as a difference. All other keys are compared again
// in the next round. A key that never settles is unstable, and never counts as equal. In a table
// that a connector copies, a key matches after one round if its rows are equal.
import type { Counts } from '../domain/evidence/counts.js';
import type { Difference } from '../domain/evidence/window.js';
import { compareRows, keyRecord, type Shape, type StreamRow } from './row-comparison.js';
import type { Unequal } from './unseen-by-polling.js';

export interface Round {
  /**
   * The result of the batch's query in this round's snapshot, by key. A row that could not be
   * decoded is null.
   */
  readonly expected: ReadonlyMap<string, string | null>;
  /** The rows of the stream after this round's barrier. */
  readonly actual: ReadonlyMap<string, StreamSide>;
  /**
   * The keys that got a new record in the stream's topic after the previous round had read this
   * topic.
   */
  readonly touched: ReadonlySet<string>;
  /**
   * True if the stream of the previous round may contain a commit that this round's snapshot does
   * not see, because the commit waits for a standby. No key then settles as a difference. Absent
   * means false.
   */
  readonly mayLackCommits?: boolean;
}

/**
 * Options for tables that a connector copies unchanged. The window covers only the keys that its
 * first round found.
 */
export interface Captured {
  /**
   * Returns whether a difference may come from a change that the connector cannot detect. Such a
   * difference is unknown, not proven wrong.
   */
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
  /**
   * The previous round: the expected rows, and the stream's rows of the keys that are still open.
   */
  #previous: Earlier | undefined;
  #rounds = 0;

  constructor(shape: Shape, captured?: Captured) {
    this.#shape = shape;
    this.#captured = captured;
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Returns whether another round can settle more keys. */
  get isOpen(): boolean {
    return this.#rounds < (this.#captured ? 1 : 2) || this.#open.size > 0;
  }

  /**
   * Returns whether a difference is already proven. If so, more rounds cannot make this window
   * pass.
   */
  get hasDifferences(): boolean {
    return this.#counts.missing + this.#counts.extraneous + this.#counts.mismatched > 0;
  }

  add(round: Round): void {
    const previous = this.#previous;
    const open = new Set<string>();
    const actual = new Map<string, string | null>();
    for (const key of allKeys(round)) {
      if (this.#settled.has(key)) continue;
      // no earlier round had this key, so it did not exist when the window began
      if (this.#captured && previous && !this.#open.has(key)) continue;
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

  /** Returns the differences, and one line for each unstable key. */
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

  /**
   * Settles a copied row as a match if both sides are equal. One round is enough, because the
   * connector has then copied exactly these values. (A computed row can be equal by chance, before
   * the pipeline has processed all of the row's inputs.)
   */
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

  /** Tries to settle the key as a match or as a difference. Returns whether the key has settled. */
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
        // this marks only the current record; a newer record of the key gets a new entry
        if (entry) entry.proven = true;
      }
      this.#settled.add(key);
      return true;
    }
    if (round.touched.has(key) || round.mayLackCommits) return false;
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
