// Calls the part of ksqlDB's REST API that Sluice needs: statements, queries and their states.
// Every call has its own time limit.
import { Problem } from '../../domain/failure.js';
import { causeText } from '../../domain/values/error-text.js';
import type { HttpAnswer } from './http-access.js';
import { jsonOrNull, jsonRequest } from './json-request.js';
import { quoteForeign } from '../../domain/values/foreign-text.js';

export interface KsqlQuery {
  readonly id: string;
  /** The streams and tables that the query writes to, as ksqlDB names them. */
  readonly sinks: readonly string[];
  /** RUNNING, ERROR, PAUSED, UNRESPONSIVE … */
  readonly state: string;
}

export interface KsqlServer {
  readonly version: string;
  /** A part of the names of the consumer groups and internal topics that the server creates. */
  readonly serviceId: string;
}

interface Entity {
  readonly '@type'?: string;
  readonly streams?: readonly { name: string }[];
  readonly tables?: readonly { name: string }[];
  readonly queries?: readonly {
    id: string;
    sinks?: string[];
    state?: string;
    queryType?: string;
  }[];
  readonly commandId?: string;
  readonly commandStatus?: CommandStatus;
}

interface CommandStatus {
  readonly status: string;
  readonly message?: string;
}

const CALL_MS = 30_000;
const COMMAND_MS = 60_000;
const POLL_MS = 200;
const MEDIA_TYPE = 'application/vnd.ksql.v1+json';
const UNDER_WAY: readonly string[] = ['QUEUED', 'PARSING', 'EXECUTING'];

/** Thrown if ksqlDB refuses a request or cannot execute a statement. The message is its reason. */
export class KsqlError extends Error {}

export class KsqlDb {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  async server(): Promise<KsqlServer> {
    const { KsqlServerInfo: info } = await this.#call<{
      KsqlServerInfo: { version: string; ksqlServiceId: string };
    }>('GET', '/info');
    return { version: info.version, serviceId: info.ksqlServiceId };
  }

  /** Returns the names of all streams and tables. */
  async sources(): Promise<string[]> {
    const entities = [
      ...(await this.#statements('LIST STREAMS;', {})),
      ...(await this.#statements('LIST TABLES;', {})),
    ];
    return entities.flatMap((e) => [...(e.streams ?? []), ...(e.tables ?? [])].map((s) => s.name));
  }

  /** Returns the persistent queries, which run until they are terminated. */
  async queries(): Promise<KsqlQuery[]> {
    const entities = await this.#statements('SHOW QUERIES;', {});
    const queries = entities
      .flatMap((e) => e.queries ?? [])
      .filter((q) => (q.queryType ?? 'PERSISTENT') === 'PERSISTENT');
    return queries.map(({ id, sinks, state }) => ({
      id,
      sinks: sinks ?? [],
      state: state ?? 'UNKNOWN',
    }));
  }

  /**
   * Runs one statement, and waits until the server has executed it. Throws KsqlError with the
   * server's message if ksqlDB refuses the statement or cannot execute it.
   */
  async run(statement: string, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const deadline = Date.now() + COMMAND_MS;
    for (const { commandId, commandStatus } of await this.#statements(
      `${statement};`,
      properties,
    )) {
      let status = commandStatus;
      while (commandId && status && UNDER_WAY.includes(status.status)) {
        if (Date.now() > deadline)
          throw new Problem(
            'unreachable',
            `ksqlDB at ${this.#url}: ${commandId} is still ${status.status} after ${COMMAND_MS / 1000} s`,
          );
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        status = await this.#call<CommandStatus>(
          'GET',
          `/status/${commandId.split('/').map(encodeURIComponent).join('/')}`,
        );
      }
      if (status?.status === 'ERROR')
        throw new KsqlError(quoteForeign(status.message ?? 'ERROR', 500));
    }
  }

  #statements(
    ksql: string,
    streamsProperties: Readonly<Record<string, string>>,
  ): Promise<Entity[]> {
    return this.#call<Entity[]>('POST', '/ksql', { ksql, streamsProperties });
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    let response: HttpAnswer;
    try {
      const request = { method, body, mediaType: MEDIA_TYPE, limitMs: CALL_MS };
      response = await jsonRequest(`${this.#url}${path}`, request);
    } catch (error) {
      throw new Problem(
        'unreachable',
        `ksqlDB at ${this.#url} does not answer ${method} ${path}: ${causeText(error)}`,
      );
    }
    const answer = jsonOrNull(response.text) as (T & { message?: string }) | null;
    if (response.ok && answer !== null) return answer;
    const message = quoteForeign(
      typeof answer?.message === 'string'
        ? answer.message.split('\n')[0]!
        : `HTTP ${response.status}`,
      500,
    );
    if (response.status >= 400 && response.status < 500) throw new KsqlError(message);
    throw new Problem(
      'unreachable',
      `ksqlDB at ${this.#url}: ${method} ${path}: ${response.status} ${message}`,
    );
  }
}
