// Runs SQL that a spec contains. The server receives the SQL as a single statement through the
// extended protocol. This protocol can also describe the statement without running it.
import type pg from 'pg';

export interface DescribedField {
  readonly name: string;
  readonly dataTypeID: number;
}

interface DescribedStatement {
  readonly fields: readonly DescribedField[];
  /** How many parameters the server expects when the statement runs. */
  readonly parameterCount: number;
}

/**
 * Builds a query for `client.query` that uses the extended protocol, which refuses a text with more
 * than one statement.
 */
export const lone = (text: string, values: unknown[] = []): pg.QueryConfig =>
  ({ text, values, queryMode: 'extended' }) as pg.QueryConfig;

/**
 * Returns the rows of one SELECT that contains SQL of a spec. The SELECT runs in a transaction that
 * cannot write. If the caller has an open transaction, that transaction MUST be READ ONLY.
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
    // this also undoes settings that the SQL changed
    await client.query('ROLLBACK').catch(() => undefined);
  }
}

/**
 * Selects the settings of a session. Omits settings that Sluice's own statements change while SQL
 * of a spec runs.
 */
const SETTINGS_SQL = `SELECT name, setting FROM pg_catalog.pg_settings WHERE name NOT IN ('statement_timeout', 'transaction_timeout', 'transaction_read_only')
UNION ALL SELECT 'role', pg_catalog.current_setting('role')`;

/**
 * Fills a new temporary table with the rows of a spec's query, inside a transaction that may write.
 * The query runs in a read-only subtransaction, which can write only to temporary tables. Settings
 * that the query changed are restored before the caller's next statement. `table` MUST be an
 * identifier that needs no quotes. The table is dropped when the transaction ends.
 */
export async function readInto(client: pg.ClientBase, table: string, query: string): Promise<void> {
  // parse the query without parentheses first, because its text could close the parenthesis below
  await describeStatement(client, query);
  const rows = `SELECT * FROM (${query}\n) AS sluice_query`;
  // `WITH NO DATA` creates the table without planning or running the query.
  await client.query(lone(`CREATE TEMP TABLE ${table} ON COMMIT DROP AS ${rows} WITH NO DATA`));
  const before = await settingsOf(client);
  await client.query('SAVEPOINT sluice_reads; SET TRANSACTION READ ONLY');
  await client.query(lone(`INSERT INTO pg_temp.${table} ${rows}`));
  await client.query('RELEASE SAVEPOINT sluice_reads');
  for (const [name, setting] of await settingsOf(client)) {
    const was = before.get(name) ?? '';
    if (setting !== was)
      await client.query('SELECT pg_catalog.set_config($1, $2, true)', [name, was]);
  }
}

async function settingsOf(client: pg.ClientBase): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(SETTINGS_SQL);
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}

/**
 * Returns the fields of one statement, which is parsed but not run. Rejects with the server's error
 * if the text is not exactly one statement.
 */
export const describeStatement = async (
  client: pg.ClientBase,
  text: string,
): Promise<readonly DescribedField[]> => (await describe(client, text)).fields;

/**
 * Returns how many parameters one statement has. The statement is parsed but not run. Rejects like
 * `describeStatement`.
 */
export const countParameters = async (client: pg.ClientBase, text: string): Promise<number> =>
  (await describe(client, text)).parameterCount;

const describe = (client: pg.ClientBase, text: string): Promise<DescribedStatement> =>
  new Promise((resolve, reject) => {
    client.query(new Description(text, resolve, reject) as unknown as pg.Submittable);
  });

/**
 * Returns the fields of a query that is used in parentheses. The query is first parsed without
 * them, so that its text cannot close the parenthesis and add a statement.
 */
export async function describeSubquery(
  client: pg.ClientBase,
  query: string,
): Promise<readonly DescribedField[]> {
  await describeStatement(client, query);
  return describeStatement(client, `SELECT * FROM (${query}\n) AS sluice_query`);
}

/**
 * Rejects unless `condition` is one SQL condition on `columns` (quoted) of `table` (qualified).
 * Runs nothing.
 */
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
  on(event: 'parameterDescription', listener: Parameters): void;
  off(event: 'parameterDescription', listener: Parameters): void;
}
type Parameters = (message: { readonly parameterCount: number }) => void;

/** Implements pg's query interface with Parse and Describe, but without Bind and Execute. */
class Description {
  #fields: readonly DescribedField[] = [];
  #parameterCount = 0;
  #connection: Wire | null = null;
  readonly #text: string;
  readonly #resolve: (described: DescribedStatement) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    text: string,
    resolve: (described: DescribedStatement) => void,
    reject: (error: Error) => void,
  ) {
    this.#text = text;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Wire): void {
    this.#connection = connection;
    // pg's client does not pass this message on to its queries
    connection.on('parameterDescription', this.#countParameters);
    connection.parse({ text: this.#text });
    connection.describe({ type: 'S', name: '' });
    connection.sync();
  }

  handleRowDescription(message: { fields: readonly DescribedField[] }): void {
    this.#fields = message.fields;
  }

  handleReadyForQuery(): void {
    this.#stopListening();
    this.#resolve({ fields: this.#fields, parameterCount: this.#parameterCount });
  }

  handleError(error: Error): void {
    this.#stopListening();
    this.#reject(error);
  }

  readonly #countParameters: Parameters = ({ parameterCount }) => {
    this.#parameterCount = parameterCount;
  };

  #stopListening(): void {
    this.#connection?.off('parameterDescription', this.#countParameters);
  }
}
