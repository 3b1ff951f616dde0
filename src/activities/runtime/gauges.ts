// Keeps measurements of this process that the ledger does not have. The metrics endpoint returns
// them.
import { sizeBytes } from '../../domain/values/duration.js';

/** A measurement of the WAL is dropped after this time, unless it is repeated. */
const FRESH_MS = 120_000;

export interface Wal {
  readonly retainedBytes: number;
  readonly budgetBytes: number;
}

/** A migration whose workflow is not running although its objects still exist. */
export interface Orphan {
  readonly migration: string;
  /** The state of its workflow, such as `terminated`. */
  readonly state: string;
  readonly objects: number;
}

export class Gauges {
  readonly #now: () => number;
  readonly #wal = new Map<string, Wal & { readonly at: number }>();
  readonly #fences = new Map<string, number>();
  orphans: readonly Orphan[] = [];

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
  }

  /** `budget` is a size in the form of the spec, such as `5GiB`. */
  walRetained(migration: string, retainedBytes: number, budget: string): void {
    this.#wal.set(migration, { retainedBytes, budgetBytes: sizeBytes(budget), at: this.#now() });
  }

  /**
   * Records that a fence holds for `ms`, unless it is released earlier. The database's clock
   * decides when the fence actually ends.
   */
  fenceHeld(migration: string, ms: number): void {
    this.#fences.set(migration, this.#now() + ms);
  }

  fenceReleased(migration: string): void {
    this.#fences.delete(migration);
  }

  get wal(): ReadonlyMap<string, Wal> {
    return new Map([...this.#wal].filter(([, { at }]) => this.#now() - at < FRESH_MS));
  }

  get fences(): readonly string[] {
    return [...this.#fences].filter(([, until]) => until > this.#now()).map(([name]) => name);
  }
}
