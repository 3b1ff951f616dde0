// Connects to the ledger's database. Creates the tables, runs transactions, and explains errors.
import { codeOf, hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { errorText } from '../../domain/values/error-text.js';
import { answered } from '../progress.js';
import { denied, readiness, type Readiness } from './ledger-access.js';
import { LEDGER_SCHEMA } from './ledger-schema.js';

const NOT_THERE = [SQLSTATE.undefinedTable, SQLSTATE.invalidSchemaName];

/** The codes of a failed connection, and of a server that lacks resources (class 53). */
const AWAY = /^(ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|57P|08|53)/;
/** Errors of TLS have codes such as CERT_HAS_EXPIRED and SELF_SIGNED_CERT_IN_CHAIN. */
const NOT_TRUSTED = /CERT|^ERR_(TLS|SSL)|^UNABLE_TO_/;

/** The server of the ledger answers, but SLUICE_LEDGER_URL does not open the ledger there. */
export class WrongLedgerUrl extends Problem {}

/** Returns the Problem if the server answered and refused to open the ledger, or null. */
function wrongUrl(address: string, error: unknown): WrongLedgerUrl | null {
  const code = codeOf(error);
  const text = errorText(error);
  const cannot = `the ledger at ${address} cannot be opened: ${text}`;
  if (code === SQLSTATE.invalidCatalogName)
    return new WrongLedgerUrl(
      'unreachable',
      cannot,
      'create the database, or restore its newest backup, or correct the database in SLUICE_LEDGER_URL; then restart the worker, which creates missing tables',
    );
  if (code.startsWith('28'))
    return new WrongLedgerUrl(
      'permission-denied',
      `the ledger at ${address} refuses the login: ${text}`,
      "correct the user or the password in SLUICE_LEDGER_URL, or the server's pg_hba.conf; then restart the worker",
    );
  if (NOT_TRUSTED.test(code) || /does not support SSL/i.test(text))
    return new WrongLedgerUrl(
      'unreachable',
      cannot,
      'correct sslmode or sslrootcert in SLUICE_LEDGER_URL, or the certificate of the server; then restart the worker',
    );
  return null;
}

/**
 * Returns whether the connection or the server failed, or a time limit passed. The statement may
 * have been run.
 */
const isAway = (error: unknown): boolean =>
  AWAY.test(codeOf(error)) || /timeout|terminated/i.test((error as Error).message);

export class LedgerConnection {
  readonly #pool: pg.Pool;
  protected readonly url: string;
  /**
   * Set only in the ledger that `Ledger.inSnapshot` gives to its callback. That ledger sends all of
   * its queries through this connection, in one transaction.
   */
  protected pinned: pg.PoolClient | undefined;
  readonly #address: string;
  protected readonly readOnly: boolean;

  /**
   * Opens a pool of connections. If `readOnly` is true, every transaction is read-only, and a
   * ledger without tables seems to be empty. The role then needs only USAGE on the schema sluice
   * and SELECT on its tables.
   */
  constructor(url: string, { readOnly = false } = {}) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 6,
      connectionTimeoutMillis: 5000,
      statement_timeout: 30_000,
      application_name: 'sluice-ledger',
      ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
    });
    this.#pool.on('error', () => undefined);
    // The pool has no error listener on a connection that is in use. Without a listener, a lost
    // connection ends the whole process. With this listener, the next query throws the error.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    this.url = url;
    this.readOnly = readOnly;
    const parsed = new URL(url);
    this.#address = `${parsed.host}${parsed.pathname}`;
  }

  /** Creates missing tables and columns. Several workers may call this method at once. */
  async migrate(): Promise<void> {
    const client = await this.#connect();
    try {
      await client.query('BEGIN; SELECT pg_advisory_xact_lock(7351001)');
      await client.query(LEDGER_SCHEMA);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  get address(): string {
    return this.#address;
  }

  async query<R extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<R[]> {
    try {
      return (await answered((this.pinned ?? this.#pool).query<R>(sql, [...values]))).rows;
    } catch (error) {
      const lost = this.#lost(error);
      if (lost) throw lost;
      if (hasState(error, ...NOT_THERE)) {
        if (this.readOnly) return [];
        throw this.#empty();
      }
      if (hasState(error, SQLSTATE.undefinedColumn)) throw this.#older(error as Error);
      if (codeOf(error) === SQLSTATE.insufficientPrivilege)
        throw await denied(this.#pool, this.#address, error as Error);
      throw error;
    }
  }

  readiness(): Promise<Readiness> {
    return readiness(this.#pool).catch((error: unknown) => {
      throw wrongUrl(this.#address, error) ?? error;
    });
  }

  /** Runs `use` on one connection. */
  async session<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      return await use(client);
    } finally {
      client.release();
    }
  }

  /** Opens a session outside of the pool, for a lock that is held for long. The caller ends it. */
  async openSession(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: 5000,
      application_name: 'sluice-ledger',
      keepAlive: true,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      throw wrongUrl(this.#address, error) ?? this.#unreachable(error);
    }
    return client;
  }

  /** Takes a connection from the pool. */
  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw this.#lost(error) ?? error;
    }
  }

  #empty(): Problem {
    return new Problem(
      'unexpected',
      `the ledger at ${this.#address} has no tables, so it was dropped or replaced`,
      'restore its newest backup, or restart the worker, which creates empty tables; then: sluice retry',
    );
  }

  #older({ message }: Error): Problem {
    return new Problem(
      'unexpected',
      `the ledger at ${this.#address} was made by another version of Sluice: ${message}`,
      'start a worker of this version, which adds missing columns, or use the version of the worker that runs',
    );
  }

  /** Returns the Problem if the connection failed, or null for any other error. */
  #lost(error: unknown): Problem | null {
    return wrongUrl(this.#address, error) ?? (isAway(error) ? this.#unreachable(error) : null);
  }

  #unreachable(error: unknown): Problem {
    return new Problem(
      'unreachable',
      `the ledger at ${this.#address} does not answer: ${errorText(error)}`,
    );
  }

  /**
   * Runs `use` on one connection inside a transaction. The isolation level is READ COMMITTED,
   * whatever the default is. After a statement that waited for a lock, the next statement
   * therefore sees what was committed during the wait.
   */
  async transaction<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      const result = await use(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }
}
