// Reads COPY … TO STDOUT on a pg connection, in the binary or the text format. The caller visits
// each row when it arrives, as the bytes that Postgres sends. No row is kept.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { int16At, int32At } from '../../domain/values/bytes.js';

// "PGCOPY\n\377\r\n\0" and flags; the length of the header's extension follows
const SIGNATURE_BYTES = 11 + 4;
const TRAILER = -1;
const LEAST_WAIT_MS = 20;

interface Socket {
  pause(): void;
  resume(): void;
}
interface Wire {
  query(sql: string): void;
  readonly stream: Socket;
}

/**
 * Receives bytes of a COPY stream and the offset of a row's first field. Returns the offset at
 * which that row ends.
 */
export type VisitRow = (bytes: Uint8Array, at: number) => number;

/**
 * Receives a row in the text format. The buffer is valid only during the call. If the function
 * returns a promise, no more data is read from the connection until that promise resolves. Lines
 * that have already arrived, at most 64 KB, are still visited.
 */
export type VisitLine = (line: Buffer) => Promise<void> | undefined;

export interface CopyOptions {
  /** 0 means no limit. */
  readonly rowsPerSecond: number;
}

/**
 * Runs `COPY (select) TO STDOUT` in the binary format. Returns the number of visited rows. Throws
 * the error of Postgres or of `visit`.
 */
export function copyRows(
  client: pg.Client,
  select: string,
  options: CopyOptions,
  visit: VisitRow,
): Promise<number> {
  const rows = new BinaryRows(visit);
  return copyOut(client, `COPY (${select}) TO STDOUT (FORMAT binary)`, options, (bytes) =>
    rows.read(bytes),
  );
}

/** Does the same as `copyRows` in the text format. */
export function copyLines(
  client: pg.Client,
  select: string,
  options: CopyOptions,
  visit: VisitLine,
): Promise<number> {
  return copyOut(client, `COPY (${select}) TO STDOUT`, options, (line) => ({
    rows: 1, // Postgres sends each line as one message
    wait: visit(line),
  }));
}

/** Reads one message. Returns its number of rows, and a promise that further reading waits for. */
type ReadMessage = (bytes: Buffer) => Read;
interface Read {
  readonly rows: number;
  readonly wait?: Promise<void> | undefined;
}

const copyOut = (
  client: pg.Client,
  sql: string,
  options: CopyOptions,
  read: ReadMessage,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const copy = new CopyOut(sql, options, read, (error, rows) =>
      error ? reject(error) : resolve(rows),
    );
    client.query(copy as unknown as pg.Submittable);
  });

/** Visits the rows of the binary format. */
class BinaryRows {
  readonly #visit: VisitRow;
  #isHeaderRead = false;

  constructor(visit: VisitRow) {
    this.#visit = visit;
  }

  read(bytes: Uint8Array): Read {
    let rows = 0;
    let at = 0;
    if (!this.#isHeaderRead) {
      at = SIGNATURE_BYTES + 4 + int32At(bytes, SIGNATURE_BYTES);
      this.#isHeaderRead = true;
    }
    while (at < bytes.length) {
      if (int16At(bytes, at) === TRAILER) return { rows };
      at = this.#visit(bytes, at + 2);
      rows += 1;
    }
    if (at !== bytes.length)
      throw new Problem(
        'unsupported',
        `a row of COPY BINARY ends at ${at} of ${bytes.length} bytes, because the columns changed during the read`,
      );
    return { rows };
  }
}

/** Implements pg's interface for custom queries. pg gives it each message of the answer. */
class CopyOut {
  readonly #sql: string;
  readonly #options: CopyOptions;
  readonly #read: ReadMessage;
  readonly #done: (error: Error | null, rows: number) => void;
  #rows = 0;
  #started = 0;
  #problem: Error | null = null;
  /** The number of reasons why no more data may be read now. */
  #waits = 0;
  #isSlowed = false;
  #isFinished = false;

  constructor(
    sql: string,
    options: CopyOptions,
    read: ReadMessage,
    done: (error: Error | null, rows: number) => void,
  ) {
    this.#sql = sql;
    this.#options = options;
    this.#read = read;
    this.#done = done;
  }

  submit(wire: Wire): void {
    this.#started = Date.now();
    wire.query(this.#sql);
  }

  handleCopyData(message: { chunk: Buffer }, wire: Wire): void {
    if (this.#problem) return; // later rows are dropped, so that the connection stays usable
    try {
      const { rows, wait } = this.#read(message.chunk);
      this.#rows += rows;
      if (wait) this.#waitFor(wait, wire.stream);
    } catch (error) {
      this.#problem = error as Error;
    }
    if (this.#options.rowsPerSecond > 0) this.#slowDown(wire.stream);
  }

  handleError(error: Error): void {
    this.#problem ??= error;
    this.#finish();
  }

  handleReadyForQuery(): void {
    this.#finish();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCommandComplete(): void {}
  handleCopyInResponse(): void {}

  /** Reads no more data until the promise is settled. */
  #waitFor(wait: Promise<unknown>, socket: Socket): void {
    if (this.#waits === 0) socket.pause();
    this.#waits += 1;
    void wait
      .catch((error: unknown) => void (this.#problem ??= error as Error))
      .finally(() => {
        this.#waits -= 1;
        if (this.#waits > 0) return;
        socket.resume();
        if (this.#isFinished) this.#finish();
      });
  }

  #slowDown(socket: Socket): void {
    if (this.#isSlowed || this.#aheadMs() < LEAST_WAIT_MS) return;
    this.#isSlowed = true;
    this.#waitFor(this.#untilInTime(), socket);
  }

  /** Returns how much earlier than allowed the last row came. */
  #aheadMs(): number {
    return (this.#rows / this.#options.rowsPerSecond) * 1000 - (Date.now() - this.#started);
  }

  /** Waits until the rate is within its limit. Rows that arrive during the wait also count. */
  async #untilInTime(): Promise<void> {
    for (let ahead = this.#aheadMs(); ahead >= LEAST_WAIT_MS; ahead = this.#aheadMs())
      await new Promise((resolve) => setTimeout(resolve, ahead));
    this.#isSlowed = false;
  }

  /**
   * Reports the end when every promise of the visitor has settled. Otherwise, the error of a
   * promise that fails after the last row would be lost.
   */
  #finish(): void {
    this.#isFinished = true;
    if (this.#waits === 0) this.#done(this.#problem, this.#rows);
  }
}
