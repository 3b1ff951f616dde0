// Tests that the lines of a COPY are read no faster than their visitor and the limit of rows per
// second allow. Also tests which errors a reading reports.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { copyLines, type VisitLine } from '../../src/clients/postgres/copy-stream.js';

/** A connection that sends what the test tells it to send. */
class FakeConnection {
  readonly asked: string[] = [];
  isPaused = false;
  #copy!: {
    submit(wire: object): void;
    handleCopyData(message: { chunk: Buffer }, wire: object): void;
    handleError(error: Error): void;
    handleReadyForQuery(): void;
  };
  readonly #wire = {
    query: (sql: string) => void this.asked.push(sql),
    stream: {
      pause: () => void (this.isPaused = true),
      resume: () => void (this.isPaused = false),
    },
  };

  query(copy: FakeConnection['copy']): void {
    this.#copy = copy;
    copy.submit(this.#wire);
  }

  get copy() {
    return this.#copy;
  }

  send(...lines: string[]): void {
    for (const line of lines) this.#copy.handleCopyData({ chunk: Buffer.from(line) }, this.#wire);
  }
}

function reading(visit: VisitLine, rowsPerSecond = 0) {
  const connection = new FakeConnection();
  const client = connection as unknown as pg.Client;
  const rows = copyLines(client, 'SELECT 1', { rowsPerSecond }, visit);
  return { connection, rows };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lines of a COPY', () => {
  it('are visited one by one, and their number is returned', async () => {
    const seen: string[] = [];
    const { connection, rows } = reading((line) => {
      seen.push(line.toString());
      return undefined;
    });
    connection.send('1\ta\n', '2\tb\n');
    connection.copy.handleReadyForQuery();
    expect(await rows).toBe(2);
    expect(seen).toEqual(['1\ta\n', '2\tb\n']);
    expect(connection.asked).toEqual(['COPY (SELECT 1) TO STDOUT']);
    expect(connection.isPaused).toBe(false);
  });

  it('are not read while any of the promises of the visitor is open', async () => {
    const open: (() => void)[] = [];
    const { connection, rows } = reading(() => new Promise((resolve) => open.push(resolve)));
    connection.send('1\n', '2\n');
    expect(connection.isPaused).toBe(true);
    open[0]!();
    await settled();
    expect(connection.isPaused).toBe(true);
    open[1]!();
    await settled();
    expect(connection.isPaused).toBe(false);
    connection.copy.handleReadyForQuery();
    expect(await rows).toBe(2);
  });

  it('end with the error of a write that failed after the last line', async () => {
    let fail!: (error: Error) => void;
    const { connection, rows } = reading(() => new Promise((_, reject) => (fail = reject)));
    connection.send('1\n');
    connection.copy.handleReadyForQuery();
    fail(new Error('no leader'));
    await expect(rows).rejects.toThrow('no leader');
  });

  it('are dropped after an error of the visitor, and the error is thrown at the end', async () => {
    let visits = 0;
    const { connection, rows } = reading(() => {
      visits += 1;
      throw new Error('bad value');
    });
    connection.send('1\n', '2\n');
    connection.copy.handleReadyForQuery();
    await expect(rows).rejects.toThrow('bad value');
    expect(visits).toBe(1);
  });

  it('end with the error of Postgres', async () => {
    const { connection, rows } = reading(() => undefined);
    connection.send('1\n');
    connection.copy.handleError(new Error('canceling statement'));
    await expect(rows).rejects.toThrow('canceling statement');
  });

  it('are read no faster than the limit of rows per second', async () => {
    const { connection, rows } = reading(() => undefined, 100);
    const started = performance.now();
    connection.send(...Array.from({ length: 10 }, (_, at) => `${at}\n`));
    expect(connection.isPaused).toBe(true);
    connection.copy.handleReadyForQuery();
    expect(await rows).toBe(10);
    expect(performance.now() - started).toBeGreaterThan(25);
  });
});
