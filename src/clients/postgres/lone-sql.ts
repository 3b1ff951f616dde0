// SQL that a spec names. It goes to the server as one statement of its own, by the extended protocol, and the server describes it without running any of it.
import type pg from 'pg';

export interface DescribedField {
  readonly name: string;
  readonly dataTypeID: number;
}

/** A query for `client.query`: the extended protocol refuses a text that holds more than one statement. */
export const lone = (text: string, values: unknown[] = []): pg.QueryConfig =>
  ({ text, values, queryMode: 'extended' }) as pg.QueryConfig;

/**
 * Rows of one SELECT that holds SQL of a spec, in a transaction that cannot write. An open transaction of the
 * caller MUST be READ ONLY.
 */
export async function readLone(
  client: pg.ClientBase,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, string | null>[]> {
  const read = async () =>
    (await client.query<Record<string, string | null>>(lone(text, values))).rows;
  if ((client as pg.Client).getTransactionStatus() === 'T') return read();
  await client.query('BEGIN READ ONLY');
  try {
    return await read();
  } finally {
    await client.query('ROLLBACK').catch(() => undefined); // a setting that the SQL made goes with it
  }
}

/**
 * The fields of one statement, which is parsed and not run. Rejects with the server's error for a text that is
 * no statement or more than one.
 */
export const describeStatement = (
  client: pg.ClientBase,
  text: string,
): Promise<readonly DescribedField[]> =>
  new Promise((resolve, reject) => {
    client.query(new Description(text, resolve, reject) as unknown as pg.Submittable);
  });

/**
 * Returns the fields of a query that is used in parentheses. The text is parsed alone first, so
 * that it cannot close the parenthesis and add a statement.
 */
export async function describeSubquery(
  client: pg.ClientBase,
  query: string,
): Promise<readonly DescribedField[]> {
  await describeStatement(client, query);
  return describeStatement(client, `SELECT * FROM (${query}\n) AS sluice_query`);
}

/** Rejects unless `condition` is one SQL condition over `columns` (quoted) of `table` (qualified). Nothing is run. */
export async function parseCondition(
  client: pg.ClientBase,
  condition: string,
  columns: string,
  table: string,
): Promise<void> {
  const from = `FROM (SELECT ${columns} FROM ${table}) AS sluice_key`;
  await describeStatement(client, `SELECT ${condition}\n ${from}`);
  await describeStatement(client, `SELECT 1 ${from} WHERE (${condition}\n)`);
}

interface Wire {
  parse(query: { text: string }): void;
  describe(what: { type: 'S'; name: string }): void;
  sync(): void;
}

/** The query interface of `pg` with Parse and Describe, without Bind and Execute. */
class Description {
  #fields: readonly DescribedField[] = [];
  readonly #text: string;
  readonly #resolve: (fields: readonly DescribedField[]) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    text: string,
    resolve: (fields: readonly DescribedField[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#text = text;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Wire): void {
    connection.parse({ text: this.#text });
    connection.describe({ type: 'S', name: '' });
    connection.sync();
  }

  handleRowDescription(message: { fields: readonly DescribedField[] }): void {
    this.#fields = message.fields;
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#fields);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }
}
