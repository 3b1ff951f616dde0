// Finds the transaction that the creation of a slot waits for. Without this check, the creation
// could wait forever, and no message would say why.
import { hasState, SQLSTATE } from '../../../domain/values/sqlstate.js';
import type pg from 'pg';
import { openWriters, slotWaitsFor } from '../../../clients/postgres/open-writers.js';
import { Problem } from '../../../domain/failure.js';
import { describeWriters, remedyFor } from './long-writers.js';

/** Calls `use` with a separate session on the source database. */
type Ask = <T>(use: (client: pg.ClientBase) => Promise<T>) => Promise<T>;

const ASK_EVERY_MS = 5000;
const PATIENCE_MS = 30_000;

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
    const open = await ask((client) => openWriters(client)).catch(() => []);
    const named = open.length > 0 ? describeWriters(open) : 'a transaction that has since ended';
    throw new Problem(
      'lock-timeout',
      `creating slot ${slot} waits for ${named}`,
      `${remedyFor(open, 'wait until the oldest of these transactions ends')}; then: sluice retry`,
    );
  }
}
