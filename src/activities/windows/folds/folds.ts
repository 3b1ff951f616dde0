// Folded topics kept between windows, so that a window reads only what is new; proven ones of
// tables also on disk, for a restarted worker.
import { HashFold } from '../../../compare/hash-fold.js';
import { OutputFold } from '../../../compare/output-fold.js';
import type { Shape } from '../../../compare/comparison.js';
import { TableFold } from '../../../compare/table-fold.js';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { rangeOf } from '../../../clients/kafka/record-batch.js';
import { Problem } from '../../../domain/failure.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import type { FoldFiles } from './fold-files.js';
import { FoldThreads, WORTH_THREADS } from './fold-threads.js';
import { readPart, sameLog, startOf } from './same-topic-log.js';
import { bytesNeeded, partsFor } from './spill.js';

/** Every table gets at least 1/8 of the memory budget. */
const LEAST_SHARE = 8;

export class FoldCache {
  readonly #folds = new Map<string, TableFold | OutputFold | HashFold>();
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #files: FoldFiles;
  readonly #budget: number;
  #marks = 0;

  /** `budget` = bytes that all key tables together may take. */
  constructor(files: FoldFiles, budget: number) {
    this.#files = files;
    this.#budget = budget;
  }

  /**
   * Returns the number of parts in which a table of so many keys must be compared; 1 = in memory. A
   * fold that has outgrown the budget is dropped.
   */
  partsNeeded(ref: MigrationRef, topic: string, shape: Shape, keys: number): number {
    const identity = identityOf(ref, topic, shape);
    let others = 0;
    for (const [id, fold] of this.#folds)
      if (id !== identity && fold instanceof HashFold) others += fold.table.bytes;
    const left = Math.max(this.#budget - others, this.#budget / LEAST_SHARE);
    const known = this.#folds.get(identity);
    if (known instanceof HashFold && known.table.bytes <= left) return 1;
    this.#folds.delete(identity);
    return partsFor(bytesNeeded(keys), left);
  }

  /** An empty folder for one pass over a topic that does not fit. */
  spillDir(ref: MigrationRef, topic: string): Promise<string> {
    return this.#files.spillDir(ref.runKey, topic);
  }

  /**
   * A number no comparison has used: rows found by an interrupted attempt must not look found in
   * the next one.
   */
  nextMark(): number {
    this.#marks += 1;
    return this.#marks;
  }

  /**
   * One window of a migration at a time: an attempt that timed out may still be running beside its
   * retry.
   */
  async exclusive<T>(ref: MigrationRef, use: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(ref.runKey) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(use);
    this.#busy.set(ref.runKey, mine);
    return mine;
  }

  table(ref: MigrationRef, topic: string, shape: Shape): TableFold {
    return this.#get(ref, topic, shape, () => new TableFold(shape)) as TableFold;
  }

  /**
   * `expected` = about how many keys it will hold. A fold that this worker does not have is taken
   * from its state file, if there is one.
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
    const fold = new HashFold(shape, expected);
    await this.#files.restore(ref.runKey, identity, fold);
    this.#folds.set(identity, fold);
    return fold;
  }

  /** Keeps a proven fold for a worker that comes after this one. */
  async save(ref: MigrationRef, topic: string, fold: HashFold): Promise<void> {
    await this.#files.save(ref.runKey, identityOf(ref, topic, fold.shape), fold);
  }

  /** Removes what is kept of a run, here and on disk. */
  async forget(ref: MigrationRef): Promise<void> {
    this.drop(ref);
    await this.#files.forget(ref.runKey);
  }

  output(ref: MigrationRef, topic: string, shape: Shape, image: string | null = null): OutputFold {
    return this.#get(ref, topic, shape, () => new OutputFold(shape, image)) as OutputFold;
  }

  /**
   * Frees what a migration holds. A failed window MUST drop its folds: a half-read one is worth
   * nothing.
   */
  drop(ref: MigrationRef): void {
    for (const key of this.#folds.keys())
      if (key.startsWith(`${ref.runKey}/`)) this.#folds.delete(key);
  }

  #get(
    ref: MigrationRef,
    topic: string,
    shape: Shape,
    make: () => TableFold | OutputFold | HashFold,
  ): TableFold | OutputFold | HashFold {
    const key = identityOf(ref, topic, shape);
    const fold = this.#folds.get(key) ?? make();
    this.#folds.set(key, fold);
    return fold;
  }
}

const identityOf = (ref: MigrationRef, topic: string, shape: Shape): string =>
  `${ref.runKey}/${ref.generation}/${topic}/${JSON.stringify(shape)}`;

export type TopicEnds = Awaited<ReturnType<KafkaPort['offsets']>>;

/**
 * A topic of ours with another number of partitions than planned cannot be folded: throws Problem
 * `unsupported`.
 */
export function refuseRepartitioned(ref: MigrationRef, topic: string, ends: TopicEnds): void {
  const { partitions } = ref.spec.spec.kafka;
  if (ends.length === partitions) return;
  throw new Problem(
    'unsupported',
    `${topic} has ${ends.length} partitions ≠ ${partitions} planned: the records of one key lie in several, in no order`,
  );
}

/** A topic, the cluster that holds it, and how its reader reports that it is alive. */
export interface TopicReading {
  readonly kafka: KafkaPort;
  readonly topic: string;
  readonly heartbeat: () => void;
}

/**
 * Reads the table's topic to the given stable ends and applies what the snapshot sees. Returns the
 * fold.
 */
export async function foldTable<F extends TableFold | HashFold>(
  { kafka, topic, heartbeat }: TopicReading,
  fold: F,
  ends: TopicEnds,
  snapshot: SnapshotVisibility,
): Promise<F> {
  fold.applyOverlay(snapshot);
  const log = await sameLog(kafka, topic, fold);
  const ranges = ends.map((end) => ({
    end,
    partition: end.partition,
    from: startOf(topic, fold, end),
    to: end.committed,
  }));
  const records = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const threads =
    fold instanceof HashFold && records >= WORTH_THREADS ? new FoldThreads(fold.shape) : null;
  try {
    for (const { end, partition, from, to } of ranges) {
      fold.readFrom(partition, ends.length);
      if (threads && fold instanceof HashFold)
        await threads.fold(kafka, topic, partition, from, to, { fold, snapshot, heartbeat });
      else
        await kafka.readRange(
          topic,
          partition,
          from,
          to,
          (offset, bytes, keyStart, keyEnd, start, stop) =>
            void fold.add(offset, bytes, keyStart, keyEnd, start, stop, snapshot),
          heartbeat,
        );
      fold.readUpTo(readPart(end));
    }
  } finally {
    await threads?.close();
  }
  await log.verify();
  return fold;
}

/** Reads the output to its stable end; returns the keys written since the last call. */
export async function foldOutput(
  { kafka, topic, heartbeat }: TopicReading,
  fold: OutputFold,
): Promise<Set<string>> {
  const touched = new Set<string>();
  const log = await sameLog(kafka, topic, fold);
  for (const end of await kafka.offsets(topic)) {
    const { partition, committed } = end;
    const from = startOf(topic, fold, end);
    fold.readFrom(partition, 0); // a pipeline may place its records by a rule of its own
    await kafka.readRange(
      topic,
      partition,
      from,
      committed,
      (offset, bytes, keyStart, keyEnd, start, stop) => {
        const written = fold.add(
          rangeOf(bytes, keyStart, keyEnd),
          rangeOf(bytes, start, stop),
          offset,
        );
        if (written !== null) touched.add(written);
      },
      heartbeat,
    );
    fold.readUpTo(readPart(end));
  }
  await log.verify();
  return touched;
}
