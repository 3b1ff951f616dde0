// Calls the REST API of Flink's SQL Gateway: sessions, statements and results. A session's tables
// and settings are lost when the session or the gateway ends. Therefore no session is kept: each
// use opens its own.
import { Problem } from '../../domain/failure.js';
import { causeText } from '../../domain/values/error-text.js';
import type { HttpAnswer } from './http-access.js';
import { jsonOrNull, jsonRequest } from './json-request.js';
import { quoteForeign } from '../../domain/values/foreign-text.js';

export interface FlinkJob {
  readonly id: string;
  readonly name: string;
  /** RUNNING, RESTARTING, FAILED, FINISHED, CANCELED … */
  readonly status: string;
}

type Row = readonly unknown[];

/** A page of results. */
interface Page {
  readonly resultType?: string;
  readonly results?: { readonly data?: readonly { readonly fields: Row }[] };
  readonly nextResultUri?: string;
}

const POLL_MS = 100;
const CALL_MS = 15_000;

export class FlinkGateway {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  /** Returns the product and its version. */
  async info(): Promise<string> {
    const answer = await this.#call<{ productName: string; version: string }>('GET', '/v1/info');
    return `${answer.productName} ${answer.version}`;
  }

  /**
   * Runs `use` in a new session, and always closes the session. The jobs that the session started
   * keep running.
   */
  async session<T>(use: (session: FlinkSession) => Promise<T>): Promise<T> {
    const { sessionHandle } = await this.#call<{ sessionHandle: string }>('POST', '/v1/sessions', {
      properties: {},
    });
    try {
      return await use(
        new FlinkSession((method, path, body) =>
          this.#call(method, `/v1/sessions/${sessionHandle}${path}`, body),
        ),
      );
    } finally {
      // if this request fails, the gateway ends the session after a timeout
      await this.#call('DELETE', `/v1/sessions/${sessionHandle}`).catch(() => undefined);
    }
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    let response: HttpAnswer;
    try {
      response = await jsonRequest(`${this.#url}${path}`, { method, body, limitMs: CALL_MS });
    } catch (error) {
      throw new Problem(
        'unreachable',
        `the Flink SQL Gateway at ${this.#url} does not answer: ${causeText(error)}`,
      );
    }
    const answer = jsonOrNull(response.text) as { errors?: string[] } | null;
    if (!response.ok) throw FlinkError.of(answer?.errors ?? [`HTTP ${response.status}`]);
    if (answer === null)
      throw new Problem(
        'unreachable',
        `the Flink SQL Gateway at ${this.#url} answered ${method} ${path} without JSON`,
      );
    return answer as T;
  }
}

/**
 * Thrown if the gateway answers with an error, for example because a statement failed. The message
 * is the reason that the gateway gave.
 */
export class FlinkError extends Error {
  /** The classes of the exceptions in Flink's answer, such as `SaslAuthenticationException`. */
  readonly causes: readonly string[];

  constructor(message: string, causes: readonly string[]) {
    super(message);
    this.causes = causes;
  }

  static of(errors: readonly string[]): FlinkError {
    const names = errors.join('\n').matchAll(/[\w$]+\.([A-Z]\w*(?:Exception|Error))(?![\w.(])/g);
    return new FlinkError(
      rootCause(errors),
      [...names].map(([, name]) => name!),
    );
  }
}

export class FlinkSession {
  readonly #call: <T>(method: string, path: string, body?: object) => Promise<T>;

  constructor(call: <T>(method: string, path: string, body?: object) => Promise<T>) {
    this.#call = call;
  }

  /**
   * Runs one statement to its end. Returns its rows, or the job's id for an INSERT. Throws
   * FlinkError with the root cause that Flink reports.
   */
  async run(statement: string): Promise<Row[]> {
    const { operationHandle } = await this.#call<{ operationHandle: string }>(
      'POST',
      '/statements',
      { statement },
    );
    const rows: Row[] = [];
    let token = 0;
    for (;;) {
      const path = `/operations/${operationHandle}/result/${token}`;
      const page = await this.#call<Page>('GET', path);
      const data = rowsOf(page, path);
      rows.push(...data.map((d) => d.fields));
      if (page.resultType === 'EOS') return rows;
      // For a job that has no rows yet, the gateway answers at once with an empty page. The pause
      // leaves the processor to the job.
      if (page.resultType === 'NOT_READY' || data.length === 0)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (page.resultType !== 'NOT_READY')
        token = Number(/\/result\/(\d+)/.exec(page.nextResultUri ?? '')?.[1] ?? token + 1);
    }
  }

  /**
   * Returns whether the gateway has a class. Flink refuses to create a function whose class does
   * not exist, and names ClassNotFoundException. Any other refusal means that the class exists.
   */
  async hasClass(name: string): Promise<boolean> {
    try {
      await this.run(`CREATE TEMPORARY FUNCTION sluice_class AS '${name}'`);
      await this.run('DROP TEMPORARY FUNCTION sluice_class');
      return true;
    } catch (error) {
      if (!(error instanceof FlinkError)) throw error;
      return !error.causes.includes('ClassNotFoundException');
    }
  }

  async jobs(): Promise<FlinkJob[]> {
    const rows = await this.run('SHOW JOBS');
    return rows.map(([id, name, status]) => ({
      id: String(id),
      name: String(name),
      status: String(status),
    }));
  }

  /** Stops a job. May throw FlinkError if the job has ended. */
  async stop(job: Pick<FlinkJob, 'id'>): Promise<void> {
    await this.run(`STOP JOB '${job.id}'`);
  }
}

/**
 * Returns the rows of a page. Throws Problem `unreachable` if the answer is not a page. Otherwise,
 * the caller would read the next page and miss the rows of this page.
 */
function rowsOf({ resultType, results }: Page, path: string): readonly { readonly fields: Row }[] {
  const data = results?.data;
  if (data !== undefined || resultType === 'EOS' || resultType === 'NOT_READY') return data ?? [];
  throw new Problem(
    'unreachable',
    `the answer of the Flink SQL Gateway to GET ${path} is not a page of results`,
  );
}

/**
 * Returns the message of the last cause in a Java stack trace. If there is none, returns the first
 * line of the text.
 */
function rootCause(errors: readonly string[]): string {
  const text = errors.join('\n');
  const causes = [...text.matchAll(/Caused by: (?:[\w.$]+\.)?(\w+(?:Exception|Error)): ([^\n]+)/g)];
  return quoteForeign(
    causes.at(-1)?.[2] ?? text.split('\n').find((line) => line.trim() !== '') ?? 'unknown',
    500,
  );
}
