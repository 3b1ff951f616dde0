// Calls Kafka Connect's REST API. Each call has its own time limit, because a Connect worker that
// cannot reach Kafka may answer only after minutes.
import { remedyOf } from '../../domain/capture/connector-remedies.js';
import { Problem } from '../../domain/failure.js';
import { answered } from '../progress.js';
import { errorText } from '../../domain/values/error-text.js';
import { tlsTrouble } from '../tls-trouble.js';
import type { ConnectControl, ConnectorStatus } from './connect-control.js';
import {
  bodyOf,
  errorMessage,
  isUnknownConnector,
  notConnect,
  notServed,
  refusedLogin,
} from './connect-answers.js';
import { send, type HttpAccess, type HttpAnswer } from './http-access.js';

const TIMEOUT_MS = 15_000;
const CONFLICT_RETRIES = 20;
const CONFLICT_PAUSE_MS = 1000;

export class ConnectRest implements ConnectControl {
  readonly #url: string;
  readonly #beforeMaking: () => void;
  readonly #access: HttpAccess;

  /**
   * `beforeMaking` runs before each attempt to create or configure a connector. If it throws, the
   * request is not sent.
   */
  constructor(url: string, beforeMaking: () => void = () => undefined, access: HttpAccess = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#beforeMaking = beforeMaking;
    this.#access = access;
  }

  async version(): Promise<string> {
    const { version } = await this.#json<{ version?: unknown }>('GET', '/');
    if (typeof version !== 'string') throw notConnect(`GET ${this.#url}/`);
    return version;
  }

  /** Returns the classes of the installed connectors, or with `all`, those of all plugins. */
  async pluginClasses(which?: 'all'): Promise<string[]> {
    const query = which ? '?connectorsOnly=false' : '';
    return (await this.plugins(query)).map((plugin) => plugin.class);
  }

  /** Returns the installed connectors, or the plugins of `query`. Some do not state a version. */
  async plugins(query = ''): Promise<{ class: string; version?: string | null }[]> {
    return this.#json('GET', `/connector-plugins${query}`);
  }

  /**
   * Returns the errors that Kafka Connect finds in a configuration, each as `key: error`. The
   * connector's own code also checks the configuration, and may connect to its database for that.
   */
  async validate(
    connectorClass: string,
    config: Readonly<Record<string, string>>,
  ): Promise<string[]> {
    interface Answer {
      configs: { value: { name: string; errors: string[] } }[];
    }
    const answer = await this.#json<Answer>(
      'PUT',
      `/connector-plugins/${connectorClass}/config/validate`,
      { ...config, name: 'sluice-validate' },
      45_000,
    );
    return answer.configs.flatMap((c) =>
      c.value.errors.map((error) => `${c.value.name}: ${error}`),
    );
  }

  /** Returns the connector's stored configuration, or null if there is no such connector. */
  async config(name: string): Promise<Record<string, string> | null> {
    return this.#jsonOrNull<Record<string, string>>(
      'GET',
      `/connectors/${encodeURIComponent(name)}/config`,
    );
  }

  /**
   * Returns the connector's status, or null if Kafka Connect does not know the connector. Directly
   * after its creation, a connector also has no status.
   */
  async status(name: string): Promise<ConnectorStatus | null> {
    return this.#jsonOrNull<ConnectorStatus>(
      'GET',
      `/connectors/${encodeURIComponent(name)}/status`,
    );
  }

  async createStopped(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#make('POST', '/connectors', { name, config, initial_state: 'STOPPED' });
  }

  async putConfig(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#make('PUT', `/connectors/${encodeURIComponent(name)}/config`, config);
  }

  async resume(name: string): Promise<void> {
    await this.#json('PUT', `/connectors/${encodeURIComponent(name)}/resume`);
  }

  /** Pauses the connector. Its tasks stay but do nothing. */
  async pause(name: string): Promise<void> {
    await this.#json('PUT', `/connectors/${encodeURIComponent(name)}/pause`);
  }

  /** Stops the connector. Returns false if Kafka Connect does not know the connector (yet). */
  async stop(name: string): Promise<boolean> {
    return (await this.#jsonOrNull('PUT', `/connectors/${encodeURIComponent(name)}/stop`)) !== null;
  }

  async restartFailed(name: string): Promise<void> {
    await this.#jsonOrNull(
      'POST',
      `/connectors/${encodeURIComponent(name)}/restart?includeTasks=true&onlyFailed=true`,
    );
  }

  /**
   * Returns the offsets that the connector stored, one for each of its source partitions. A
   * connector that does not exist has no offsets.
   */
  async offsets(name: string): Promise<Readonly<Record<string, unknown>>[]> {
    const answer = await this.#jsonOrNull<{ offsets?: { offset: Record<string, unknown> }[] }>(
      'GET',
      `/connectors/${encodeURIComponent(name)}/offsets`,
    );
    return (answer?.offsets ?? []).map(({ offset }) => offset);
  }

  /**
   * Deletes the offsets of a connector. Otherwise, Kafka Connect would keep them after the
   * connector is deleted. The connector MUST be STOPPED.
   */
  async deleteOffsets(name: string): Promise<void> {
    await this.#jsonOrNull('DELETE', `/connectors/${encodeURIComponent(name)}/offsets`);
  }

  /** Deletes the connector. Returns false if Kafka Connect does not know the connector (yet). */
  async delete(name: string): Promise<boolean> {
    return (await this.#jsonOrNull('DELETE', `/connectors/${encodeURIComponent(name)}`)) !== null;
  }

  howToResume(name: string): string {
    return `resume it through Kafka Connect's REST API (PUT /connectors/${name}/resume)`;
  }

  async #make(method: string, path: string, body: unknown): Promise<void> {
    await this.#call(method, path, body, TIMEOUT_MS, false, true);
  }

  /**
   * Returns null only if Kafka Connect answers that it does not know the connector. Returns an
   * empty object for an answer without a body.
   */
  async #jsonOrNull<T>(method: string, path: string, body?: unknown): Promise<T | null> {
    return this.#call<T>(method, path, body, TIMEOUT_MS, true);
  }

  async #json<T>(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<T> {
    return (await this.#call<T>(method, path, body, timeoutMs, false)) as T;
  }

  async #call<T>(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
    nullOn404: boolean,
    isMaking = false,
  ): Promise<T | null> {
    for (let attempt = 1; ; attempt += 1) {
      if (isMaking) this.#beforeMaking();
      const response = await this.#fetch(method, path, body, timeoutMs);
      const { text } = response;
      if (response.ok) return bodyOf(text, `${method} ${this.#url}${path}`) as T;
      if (response.status === 404 && nullOn404) {
        if (isUnknownConnector(text)) return null;
        throw notServed(`${method} ${this.#url}${path}`);
      }
      if (response.status === 401 || response.status === 403)
        throw refusedLogin(`${method} ${this.#url}${path}`, response.status, this.#access);
      const message = errorMessage(text);
      // 409 means either that the Connect workers rebalance, or that the connector already exists.
      // Some requests get a 500 during a rebalance. A rebalance ends soon, so only these requests
      // are sent again.
      const isRebalance =
        (response.status === 409 && !message.includes('already exists')) ||
        (response.status === 500 && message.includes('rebalance'));
      if (isRebalance && attempt < CONFLICT_RETRIES) {
        await new Promise((resolve) => setTimeout(resolve, CONFLICT_PAUSE_MS));
        continue;
      }
      const code =
        response.status === 409 && message.includes('already exists')
          ? 'object-not-ours'
          : response.status >= 500 || response.status === 409
            ? 'unreachable'
            : 'connector-failed';
      const detail = `Kafka Connect ${method} ${path}: ${response.status} ${message}`;
      throw new Problem(code, detail, remedyOf(message));
    }
  }

  async #fetch(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const request = {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    };
    try {
      return await answered(send(`${this.#url}${path}`, request, this.#access));
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw (
        this.#tlsTrouble(cause) ??
        new Problem(
          'unreachable',
          `Kafka Connect at ${this.#url} does not answer ${method} ${path}: ${errorText(cause)}`,
        )
      );
    }
  }

  #tlsTrouble(cause: unknown): Problem | null {
    const leg = { server: `Kafka Connect at ${this.#url}`, field: 'connector.tls' };
    const hasCa = this.#access.tls?.ca !== undefined;
    return tlsTrouble(cause, { ...leg, ca: hasCa ? 'the CA in connector.tls.ca' : undefined });
  }
}
