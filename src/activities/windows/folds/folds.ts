// Keeps folds between windows, so that a window reads only new records. A fold has the latest row
// of each key of a topic, or its hash. If a window has proven all rows of a long table, the fold is
// also saved on disk, for a restarted worker.
import { HashFold } from '../../../compare/hash-fold.js';
import { OutputFold } from '../../../compare/output-fold.js';
import { OutputHashes } from '../../../compare/output-hashes.js';
import type { Shape } from '../../../compare/row-comparison.js';
import { TableFold } from '../../../compare/table-fold.js';
import { currentProgress } from '../../../clients/progress.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import type { FoldFiles } from './fold-files.js';
import { bytesNeeded, partsFor } from './spill.js';
import { mayMissDeletes } from './tombstones.js';

/** Each table or output may use 1/8 of the memory budget, even if others have used it up. */
const LEAST_SHARE = 8;

type AnyFold = TableFold | OutputFold | HashFold | OutputHashes;

export class FoldCache {
  readonly #folds = new Map<string, AnyFold>();
  readonly #busy = new Map<string, Promise<unknown>>();
  /** The outputs that did not fit in memory. */
  readonly #outgrown = new Set<string>();
  /** The time (ms) for which each topic keeps a tombstone, by run and topic. */
  readonly #tombstonesKept = new Map<string, number>();
  readonly #files: FoldFiles;
  readonly #budget: number;
  #marks = 0;

  /** `budget` is the number of bytes that all key tables together may take. */
  constructor(files: FoldFiles, budget: number) {
    this.#files = files;
    this.#budget = budget;
  }

  /**
   * Returns the number of parts in which a table with this many keys must be compared. 1 means that
   * the table fits in memory. A fold that has outgrown the budget is dropped.
   */
  partsNeeded(ref: MigrationRef, topic: string, shape: Shape, keys: number): number {
    const identity = identityOf(ref, topic, shape);
    const left = this.#leftFor(identity);
    const known = this.#folds.get(identity);
    if (known instanceof HashFold && known.table.bytes <= left) return 1;
    this.#folds.delete(identity);
    return partsFor(bytesNeeded(keys), left);
  }

  /** Returns the number of bytes that the key tables of one output's comparison may take. */
  roomFor(ref: MigrationRef, topic: string, shape: Shape): number {
    return this.#leftFor(identityOf(ref, hashesOf(topic), shape));
  }

  /** Records that the output does not fit in memory, and drops its fold. */
  outgrew(ref: MigrationRef, topic: string, shape: Shape): void {
    const identity = identityOf(ref, hashesOf(topic), shape);
    this.#folds.delete(identity);
    this.#outgrown.add(identity);
  }

  isOutgrown(ref: MigrationRef, topic: string, shape: Shape): boolean {
    return this.#outgrown.has(identityOf(ref, hashesOf(topic), shape));
  }

  #leftFor(identity: string): number {
    let others = 0;
    for (const [id, fold] of this.#folds) if (id !== identity) others += bytesOf(fold);
    return Math.max(this.#budget - others, this.#budget / LEAST_SHARE);
  }

  /** Creates an empty folder for one pass over a topic that does not fit in memory. */
  spillDir(ref: MigrationRef, topic: string): Promise<string> {
    return this.#files.spillDir(ref.runKey, topic);
  }

  /**
   * Returns the number with which one comparison marks the rows that it finds. No number is used
   * twice, so the next attempt ignores the marks of an interrupted attempt.
   */
  nextMark(): number {
    this.#marks += 1;
    return this.#marks;
  }

  /**
   * Runs one window of a migration at a time. An attempt that timed out may still be running when
   * its retry starts. The retry waits for it. If the old attempt hangs, the retry stops waiting,
   * and the old attempt loses its folds.
   */
  async exclusive<T>(ref: MigrationRef, use: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(ref.runKey) ?? Promise.resolve();
    const mine = before.then(use);
    const abandoned = currentProgress()?.abandoned.then(() => this.drop(ref));
    const over = abandoned ? Promise.race([mine, abandoned]) : mine;
    this.#busy.set(
      ref.runKey,
      over.catch(() => undefined),
    );
    return mine;
  }

  table(ref: MigrationRef, topic: string, shape: Shape): TableFold {
    return this.#get(ref, topic, shape, () => new TableFold(shape)) as TableFold;
  }

  /** Returns the fold of a table's topic that an earlier window kept in memory, or null. */
  ofTable(ref: MigrationRef, topic: string): TableFold | HashFold | null {
    const start = `${ref.runKey}/${ref.generation}/${topic}/`;
    for (const [identity, fold] of this.#folds)
      if (identity.startsWith(start) && (fold instanceof TableFold || fold instanceof HashFold))
        return fold;
    return null;
  }

  /**
   * Returns the fold of a table's topic. `expected` is roughly the number of the topic's keys. A
   * fold that is not in memory is restored from its file, if there is one.
   */
  async hashes(
    ref: MigrationRef,
    topic: string,
    shape: Shape,
    expected: number,
  ): Promise<HashFold> {
    const identity = identityOf(ref, topic, shape);
    const known = this.#folds.get(identity);
    if (known) return known as HashFold;
    const saved = new HashFold(shape, expected);
    await this.#files.restore(ref.runKey, identity, saved);
    const isOld = mayMissDeletes(saved, this.#tombstonesKept.get(`${ref.runKey}/${topic}`));
    const fold = isOld ? new HashFold(shape, expected) : saved;
    this.#folds.set(identity, fold);
    return fold;
  }

  /** Saves a proven fold for a later worker. */
  async save(ref: MigrationRef, topic: string, fold: HashFold): Promise<void> {
    await this.#files.save(ref.runKey, identityOf(ref, topic, fold.shape), fold);
  }

  /**
   * Removes the folds of these runs from memory and from disk. Each worker calls this for all runs
   * that have ended, because the activity that ends a run reaches only one worker.
   */
  async forget(runs: readonly Pick<MigrationRef, 'runKey'>[]): Promise<void> {
    for (const run of runs) this.drop(run);
    await this.#files.forget(runs.map(({ runKey }) => runKey));
  }

  output(ref: MigrationRef, topic: string, shape: Shape, image: string | null = null): OutputFold {
    return this.#get(ref, topic, shape, () => new OutputFold(shape, image)) as OutputFold;
  }

  /** Returns the fold that keeps the hashes of an output's rows. */
  outputHashes(ref: MigrationRef, topic: string, shape: Shape): OutputHashes {
    return this.#get(ref, hashesOf(topic), shape, () => new OutputHashes(shape)) as OutputHashes;
  }

  /**
   * Drops the folds whose topics must be read from the beginning. Such a fold was read too long
   * ago, or lacked a schema that the registry may have by now. An old fold may still have a row
   * whose tombstone was removed before the fold read it. `keptMs` says how long each topic keeps a
   * tombstone. MUST be called before a window uses its folds.
   */
  dropOld(ref: MigrationRef, keptMs: ReadonlyMap<string, number>): void {
    for (const [identity, fold] of this.#folds)
      if (identity.startsWith(`${ref.runKey}/`) && fold.lacksSchema) this.#folds.delete(identity);
    for (const [topic, ms] of keptMs) {
      this.#tombstonesKept.set(`${ref.runKey}/${topic}`, ms);
      const start = `${ref.runKey}/${ref.generation}/${topic}/`;
      for (const [identity, fold] of this.#folds)
        if (identity.startsWith(start) && mayMissDeletes(fold, ms)) this.#folds.delete(identity);
    }
  }

  /**
   * Frees the memory of a migration's folds. If the measurement of a window fails, the window MUST
   * drop its folds, because a partly read fold proves nothing.
   */
  drop(ref: Pick<MigrationRef, 'runKey'>): void {
    for (const key of this.#folds.keys())
      if (key.startsWith(`${ref.runKey}/`)) this.#folds.delete(key);
    for (const key of this.#outgrown)
      if (key.startsWith(`${ref.runKey}/`)) this.#outgrown.delete(key);
    for (const key of this.#tombstonesKept.keys())
      if (key.startsWith(`${ref.runKey}/`)) this.#tombstonesKept.delete(key);
  }

  #get(ref: MigrationRef, topic: string, shape: Shape, make: () => AnyFold): AnyFold {
    const key = identityOf(ref, topic, shape);
    const fold = this.#folds.get(key) ?? make();
    this.#folds.set(key, fold);
    return fold;
  }
}

/** Returns the bytes of the fold's key tables. */
const bytesOf = (fold: AnyFold): number =>
  fold instanceof OutputHashes ? fold.bytes : fold instanceof HashFold ? fold.table.bytes : 0;

/** Names an output's fold of hashes. An output may also have a fold of rows. */
const hashesOf = (topic: string): string => `${topic}/hashes`;

const identityOf = (ref: MigrationRef, topic: string, shape: Shape): string =>
  `${ref.runKey}/${ref.generation}/${topic}/${JSON.stringify(shape)}`;
