// Keeps the witnesses of this worker, for example from the full pass before the fence to the final
// window. A witness is a temporary replication slot that shows which rows changed between two
// windows. If the witness has ended, or if another worker has it, a window cannot use it.
import { randomUUID } from 'node:crypto';
import type { ResolveSecret, SourceClient } from '../../../clients/postgres/connection.js';
import { WitnessLog } from '../../../clients/postgres/witness-log.js';
import { WitnessSlot } from '../../../clients/postgres/witness-slot.js';
import { definitionDigest, witnessedTable } from '../../../clients/postgres/witness-tables.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import { parseSnapshot, type SnapshotVisibility } from '../../../domain/values/position.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { Planned } from '../../runtime/with-plan.js';

/**
 * The time (ms) between two reads of the slot. Because this time is short, the slot retains little
 * WAL, and the last read before the commit is quick.
 */
const READ_EVERY_MS = 5000;
/**
 * A witness ends if no window has used it for this time (ms). For example, no window uses it while
 * a cut-over waits for a run of the batch. For a witness that is kept between windows, twice the
 * time between two windows is added.
 */
const UNUSED_MS = 30 * 60_000;

/** The connections of a window. `reader` holds the window's snapshot. */
interface Connections extends Planned {
  readonly reader: SourceClient;
  readonly side: SourceClient;
}

/** A table and the one column that is its key. */
export interface KeyedByOne {
  readonly table: string;
  readonly from: string;
  readonly key: string;
}

/**
 * The rows that an earlier window proved, with everything that has changed at the source since
 * then.
 */
export interface Testimony {
  /** The window that proved the rows. */
  readonly window: number;
  /** The snapshot at which that window proved every key equal. */
  readonly before: SnapshotVisibility;
  /** The number of rows of each table in that snapshot. */
  readonly rows: ReadonlyMap<string, number>;
  readonly log: WitnessLog;
}

/** The changes that the witness saw, or the reason why they are not known. */
export type Heard = Testimony | { readonly refused: string };

interface Held {
  readonly slot: WitnessSlot;
  readonly log: WitnessLog;
  readonly digest: string;
  readonly tables: readonly KeyedByOne[];
  /** The time (ms) after which the witness ends if no window has used it. */
  readonly unusedMs: number;
  timer?: NodeJS.Timeout;
  usedAt: number;
  proven: Omit<Testimony, 'log'> | null;
}

export class Witnesses {
  readonly #held = new Map<string, Held>();
  readonly #secret: ResolveSecret;

  constructor(secret: ResolveSecret) {
    this.#secret = secret;
  }

  /**
   * Begins a witness of these tables. MUST be called before the full pass takes its snapshot.
   * `everyMs` is the time between the windows that use the witness, or 0 if only one window
   * follows. Returns null, or the reason why the server refused.
   */
  async begin(
    { ref, plan, side }: Omit<Connections, 'reader'>,
    tables: readonly KeyedByOne[],
    everyMs = 0,
  ): Promise<string | null> {
    await this.end(ref);
    let slot: WitnessSlot;
    try {
      slot = await WitnessSlot.open(plan, this.#secret, plan.names.publication);
    } catch (error) {
      return `the server refused it: ${(error as Error).message}`;
    }
    // The digest of the definitions is read before the tables. A partition that is added in between
    // then changes the next digest.
    const digest = await digestOf(side, plan, tables);
    const log = new WitnessLog(
      await Promise.all(tables.map((t) => witnessedTable(side, t.table, t.from, t.key))),
    );
    const unusedMs = UNUSED_MS + 2 * everyMs;
    const held: Held = { slot, log, digest, tables, unusedMs, usedAt: Date.now(), proven: null };
    held.timer = readOften(held);
    this.#held.set(ref.runKey, held);
    return null;
  }

  /**
   * Records that a window has proven every row while the witness watched. From now on, only changes
   * after the window's snapshot `at` count. Returns null, or the reason why no later window can use
   * the witness.
   */
  proven(
    { runKey }: MigrationRef,
    proven: Omit<Testimony, 'log' | 'before'>,
    at: string,
  ): string | null {
    const held = this.#held.get(runKey);
    if (!held) return 'the witness ended during the window';
    if (held.log.problem !== null) return held.log.problem;
    const before = parseSnapshot(at);
    held.proven = { ...proven, before };
    held.usedAt = Date.now();
    held.log.forget(before);
    return null;
  }

  /**
   * Returns everything that changed up to the snapshot that `reader` holds. `window` is the window
   * that must have proven the rows, or null for the last window that proved them. Locks the tables
   * against changes of their definition until the reader's transaction ends.
   */
  async hear({ ref, plan, reader, side }: Connections, window: number | null): Promise<Heard> {
    const held = this.#held.get(ref.runKey);
    if (!held?.proven || (window ?? held.proven.window) !== held.proven.window)
      return {
        refused:
          'this worker does not have the witness: another worker began it, or this worker was restarted',
      };
    const { slot, log, tables, proven } = held;
    for (const { from } of tables) await reader.query(`LOCK TABLE ${from} IN ACCESS SHARE MODE`);
    if ((await digestOf(side, plan, tables)) !== held.digest)
      log.fail('a table or the publication was redefined or rewritten since the full pass');
    await slot.readToNow(log, randomUUID());
    return log.problem === null ? { ...proven, log } : { refused: log.problem };
  }

  /** Returns true if this run has a witness that a later window can read. */
  isWaiting({ runKey }: MigrationRef): boolean {
    return this.#held.get(runKey)?.proven != null;
  }

  /** Ends the witness of a run, if there is one. */
  async end({ runKey }: Pick<MigrationRef, 'runKey'>): Promise<void> {
    const held = this.#held.get(runKey);
    if (!held) return;
    this.#held.delete(runKey);
    clearInterval(held.timer);
    await held.slot.close();
  }
}

const digestOf = (
  side: SourceClient,
  { names }: ResolvedPlan,
  tables: readonly KeyedByOne[],
): Promise<string> =>
  definitionDigest(
    side,
    tables.map(({ from }) => from),
    names.publication,
  );

/**
 * Reads the slot at intervals, until the witness has a problem or was unused for too long. Then
 * closes the slot, so that the source need not retain WAL for it.
 */
function readOften(held: Held): NodeJS.Timeout {
  const { slot, log, unusedMs } = held;
  let isReading = false;
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    void slot.read(log).finally(() => {
      isReading = false;
      // Until the first proof, the witness is in use by the window that began it.
      if (held.proven !== null && Date.now() - held.usedAt > unusedMs)
        log.fail(`no window used it for ${Math.round(unusedMs / 60_000)} min`);
      if (log.problem === null) return;
      clearInterval(timer);
      void slot.close();
    });
  }, READ_EVERY_MS);
  timer.unref();
  return timer;
}
