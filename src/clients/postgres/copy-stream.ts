// Reads COPY … TO STDOUT (FORMAT binary) on a pg connection. The caller visits each row when it
// arrives, as the bytes that Postgres sends. No row is kept.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';
import { int16At, int32At } from '../../domain/values/bytes.js';

// "PGCOPY\n\377\r\n\0" and flags; the length of the header's extension follows
const SIGNATURE_BYTES = 11 + 4;
const TRAILER = -1;

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

export interface CopyOptions {
  /** 0 means no limit. */
  readonly rowsPerSecond: number;
}

/**
 * Runs `COPY (select) TO STDOUT`. Returns the number of visited rows. Throws the error of Postgres
 * or of `visit`.
 */
export function copyRows(
  client: pg.Client,
  select: string,
  options: CopyOptions,
  visit: VisitRow,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const copy = new CopyOut(
      `COPY (${select}) TO STDOUT (FORMAT binary)`,
      options,
      visit,
      (error, rows) => (error ? reject(error) : resolve(rows)),
    );
    client.query(copy as unknown as pg.Submittable);
  });
}

/** Implements pg's interface for custom queries, which passes on each message of the answer. */
class CopyOut {
  readonly #sql: string;
  readonly #options: CopyOptions;
  readonly #visit: VisitRow;
  readonly #done: (error: Error | null, rows: number) => void;
  #rows = 0;
  #started = 0;
  #isHeaderRead = false;
  #problem: Error | null = null;

  constructor(
    sql: string,
    options: CopyOptions,
    visit: VisitRow,
    done: (error: Error | null, rows: number) => void,
  ) {
    this.#sql = sql;
    this.#options = options;
    this.#visit = visit;
    this.#done = done;
  }

  submit(wire: Wire): void {
    this.#started = Date.now();
    wire.query(this.#sql);
  }

  handleCopyData(message: { chunk: Uint8Array }, wire: Wire): void {
    if (this.#problem) return; // the rest is read and dropped, so that the connection stays usable
    try {
      this.#read(message.chunk);
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

  #read(bytes: Uint8Array): void {
    let at = 0;
    if (!this.#isHeaderRead) {
      at = SIGNATURE_BYTES + 4 + int32At(bytes, SIGNATURE_BYTES);
      this.#isHeaderRead = true;
    }
    while (at < bytes.length) {
      if (int16At(bytes, at) === TRAILER) return;
      at = this.#visit(bytes, at + 2);
      this.#rows += 1;
    }
    if (at !== bytes.length)
      throw new Problem(
        'unsupported',
        `a row of COPY BINARY ends at ${at} of ${bytes.length} bytes, because the columns changed during the read`,
      );
  }

  #slowDown(socket: Socket): void {
    const ahead = (this.#rows / this.#options.rowsPerSecond) * 1000 - (Date.now() - this.#started);
    if (ahead < 20) return;
    socket.pause();
    setTimeout(() => socket.resume(), ahead);
  }

  #finish(): void {
    this.#done(this.#problem, this.#rows);
  }
}
