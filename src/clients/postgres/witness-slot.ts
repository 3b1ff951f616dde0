// Runs the session of a witness, with a temporary logical slot on the migration's publication. The
// server drops the slot when the session ends, so no slot remains when a worker dies.
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { quoteLiteral, WITNESS_PREFIX } from '../../domain/migration/names.js';
import { int32At } from '../../domain/values/bytes.js';
import { copyRows } from './copy-stream.js';
import { openSource, type ResolveSecret, type SourceClient } from './connection.js';
import { decodeMessage } from './pgoutput.js';
import { openTransactionsEnd } from './waiting-commits.js';
import type { WitnessLog } from './witness-log.js';

/** The maximum wait for transactions that are open when a witness begins. */
export const WITNESS_PATIENCE_MS = 15_000;
/**
 * The number of changes that one read requests. A read ends only at the end of a transaction, so it
 * can return more changes.
 */
const READ_CHANGES = 20_000;
const READ_MS = 20_000;

export class WitnessSlot {
  readonly #client: SourceClient;
  readonly #slot: string;
  readonly #publication: string;
  #last: Promise<void> = Promise.resolve();

  private constructor(client: SourceClient, slot: string, publication: string) {
    this.#client = client;
    this.#slot = slot;
    this.#publication = publication;
  }

  /**
   * Creates the slot, and waits until every transaction that was open at that time has ended. A
   * snapshot that is taken afterwards sees these transactions, and the slot returns all later ones.
   * Throws an error if the role may not use replication, if no slot is free, or if the wait takes
   * too long.
   */
  static async open(
    spec: MigrationSpec,
    secret: ResolveSecret,
    publication: string,
    patienceMs = WITNESS_PATIENCE_MS,
  ): Promise<WitnessSlot> {
    const client = await openSource(spec, secret, {
      role: 'witness',
      statementTimeoutMs: patienceMs,
      lockTimeoutMs: patienceMs,
    });
    try {
      await client.query(SURVIVES_NO_WORKER);
      const { rows } = await client.query<{ slot: string }>(
        `SELECT slot_name AS slot FROM pg_create_logical_replication_slot('sluice_witness_' || pg_backend_pid(), 'pgoutput', true)`,
      );
      if (!(await openTransactionsEnd(client, patienceMs)))
        throw new Error(`a transaction was open for longer than ${patienceMs / 1000} s`);
      await client.query(`SET statement_timeout = ${READ_MS}; SET lock_timeout = ${READ_MS}`);
      return new WitnessSlot(client, rows[0]!.slot, publication);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Reads all changes that the slot has now, and adds them to `log`. After an error, the log cannot
   * be used, because the slot does not return a change twice.
   */
  read(log: WitnessLog): Promise<void> {
    const mine = this.#last.then(async () => {
      while (log.problem === null && (await this.#readOnce(log)) >= READ_CHANGES);
    });
    this.#last = mine.catch((error: Error) => log.fail(`the witness was lost: ${error.message}`));
    return this.#last;
  }

  /**
   * Writes a marker now, and reads up to that marker. Suppose that a snapshot was taken after
   * `open` and before this call. If the log has no problem afterwards, it has received every
   * transaction since `open` that this snapshot sees.
   */
  async readToNow(log: WitnessLog, token: string): Promise<void> {
    await this.#last;
    try {
      // The slot returns only flushed WAL. Only a synchronous commit guarantees that the marker is
      // flushed before the read below.
      await this.#client.query(
        `BEGIN; SET LOCAL synchronous_commit = local; SELECT pg_logical_emit_message(true, ${quoteLiteral(WITNESS_PREFIX)}, ${quoteLiteral(token)}); COMMIT`,
      );
    } catch (error) {
      return log.fail(`the witness was lost: ${(error as Error).message}`);
    }
    await this.read(log);
    if (!log.hasSeen(token)) log.fail('the witness did not reach its own marker');
  }

  /** Ends the session, and with it the slot. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  #readOnce(log: WitnessLog): Promise<number> {
    const changes =
      `SELECT data FROM pg_logical_slot_get_binary_changes(${quoteLiteral(this.#slot)}, NULL, ${READ_CHANGES}, ` +
      `'proto_version', '1', 'publication_names', ${quoteLiteral(quotedName(this.#publication))}, 'messages', 'true')`;
    return copyRows(this.#client, changes, { rowsPerSecond: 0 }, (bytes, at) => {
      const end = at + 4 + int32At(bytes, at);
      if (log.problem === null)
        log.add(decodeMessage(Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4)));
      return end;
    });
  }
}

/** Quotes the name for the option `publication_names`, which is a list of identifiers. */
const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Makes the server end the session within a minute after the worker dies or hangs. Otherwise, the
 * unread slot would retain WAL.
 */
const SURVIVES_NO_WORKER =
  `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000; ` +
  `SET idle_session_timeout = 60000`;
