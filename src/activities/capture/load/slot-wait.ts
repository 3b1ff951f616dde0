// Finds the transaction that the creation of a slot waits for. Without this check, the creation
// could wait forever, and no message would say why. Also waits until sessions see every commit that
// is before the slot's position.
import { hasState, SQLSTATE } from '../../../domain/values/sqlstate.js';
import type pg from 'pg';
import {
  openWriters,
  slotWaitsFor,
  type OpenWriter,
} from '../../../clients/postgres/open-writers.js';
import { Problem } from '../../../domain/failure.js';
import { commitsMayWait, openTransactionsEnd } from '../../../clients/postgres/waiting-commits.js';
import { pause } from '../../runtime/poll-until.js';
import { describeWriters, remedyFor } from './long-writers.js';

/** Calls `use` with a separate session on the source database. */
type Ask = <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>;

const ASK_EVERY_MS = 5000;
const PATIENCE_MS = 30_000;
/** The time (ms) for which a commit can be invisible without synchronous replication. */
const MOMENT_MS = 2000;

/** Watches a slot that the connector creates. Call `check` from time to time. */
export class SlotWait {
  readonly #slot: string;
  readonly #ask: Ask;
  #asked = 0;
  #waitsFor: string | null = null;
  #since = 0;

  constructor(slot: string, ask: Ask) {
    this.#slot = slot;
    this.#ask = ask;
  }

  /** Throws Problem `lock-timeout` if the slot's creation has waited 30 s for one transaction. */
  async check(now = Date.now()): Promise<void> {
    if (now - this.#asked < ASK_EVERY_MS) return;
    this.#asked = now;
    const waitsFor = await this.#ask((client) => slotWaitsFor(client, this.#slot)).catch(
      () => null,
    ); // other code reports a database that does not answer
    if (waitsFor !== this.#waitsFor) this.#since = now;
    this.#waitsFor = waitsFor;
    if (waitsFor !== null && now - this.#since >= PATIENCE_MS)
      throw new Problem(
        'lock-timeout',
        `creating slot ${this.#slot} has been waiting for ${waitsFor} for ${Math.round((now - this.#since) / 1000)} s`,
        'end that transaction, or wait for it; the migration continues by itself, or at once with: sluice retry',
      );
  }
}

/**
 * Calls `create`, which creates a slot in a session with a lock_timeout. If the lock_timeout
 * expires, throws Problem `lock-timeout`, which names the transactions that are open.
 */
export async function creatingSlot<T>(
  slot: string,
  ask: Ask,
  create: () => Promise<T>,
): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (!hasState(error, SQLSTATE.lockNotAvailable)) throw error;
    throw waitsForWriters(
      `creating slot ${slot} waits for`,
      await ask((client) => openWriters(client)).catch(() => []),
    );
  }
}

/**
 * Waits until sessions see every commit that is before the position of the slot. The slot does not
 * stream such a commit, so rows that are read too early could lack it forever. Throws Problem
 * `lock-timeout` if a transaction stays open, and its commit may wait for a standby.
 */
export async function untilCommitsAreSeen(slot: string, client: pg.ClientBase): Promise<void> {
  const mayWait = await commitsMayWait(client);
  if (await openTransactionsEnd(client, mayWait ? PATIENCE_MS : MOMENT_MS, pause)) return;
  if (mayWait)
    throw waitsForWriters(
      `with synchronous replication, a commit before the position of slot ${slot} may be invisible, so the load waits for`,
      await openWriters(client),
    );
}

function waitsForWriters(what: string, open: readonly OpenWriter[]): Problem {
  const named = open.length > 0 ? describeWriters(open) : 'a transaction that has since ended';
  return new Problem(
    'lock-timeout',
    `${what} ${named}`,
    `${remedyFor(open, 'wait until the oldest of these transactions ends')}; then: sluice retry`,
  );
}
