// Reads schemas from a schema registry over the Confluent API, which Apicurio and Karapace also
// offer. The schema with a certain id never changes, so each schema is read only once.
import { Problem } from '../../domain/failure.js';
import type { RegistrySpec } from '../../domain/migration/cluster-access.js';
import { errorText } from '../../domain/values/error-text.js';
import { answered } from '../progress.js';
import type { ReadSecret } from '../tls-files.js';
import { tlsTrouble } from '../tls-trouble.js';
import { httpAccess, send, type HttpAccess, type HttpAnswer } from './http-access.js';

const TIMEOUT_MS = 10_000;
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json, application/json';

interface Registered {
  readonly text: string;
  readonly type: string;
}

export class SchemaRegistry {
  readonly #spec: RegistrySpec;
  readonly #secret: ReadSecret;
  readonly #known = new Map<number, Registered>();

  constructor(spec: RegistrySpec, secret: ReadSecret) {
    this.#spec = spec;
    this.#secret = secret;
  }

  /**
   * Returns the text of a schema, or null if the registry has no schema with that id. `type` is the
   * type of schema that the topic's format needs, such as `AVRO`. Throws Problem `unreachable`,
   * `permission-denied` or `unsupported`.
   */
  async schema(id: number, type: string): Promise<string | null> {
    const found = this.#known.get(id) ?? (await this.#ask(id));
    if (found === null) return null;
    this.#known.set(id, found);
    if (found.type === type) return found.text;
    throw new Problem(
      'unsupported',
      `schema ${id} of the registry at ${this.#spec.url} has the type ${found.type}, but its topic needs the type ${type}`,
      'correct the format of that topic in the spec, or write the topic in the format that the spec names; for tables, kafka.registry.converter names the converter',
    );
  }

  async #ask(id: number): Promise<Registered | null> {
    const path = `/schemas/ids/${id}`;
    const answer = await this.#get(path);
    if (answer.status === 404) return null;
    const { schema, schemaType = 'AVRO' } = this.#json(path, answer);
    if (typeof schema !== 'string') throw this.#noApi(path);
    return { text: schema, type: String(schemaType) };
  }

  /**
   * Checks that the registry answers. The request asks for the names of all schemas (which the
   * registry calls subjects), and needs the same login as a request for one schema. Throws Problem
   * `unreachable` or `permission-denied`.
   */
  async check(): Promise<void> {
    const answer = await this.#get('/subjects');
    if (answer.status === 404) throw this.#noApi('/subjects');
    this.#json('/subjects', answer);
  }

  #json(path: string, answer: HttpAnswer): { schema?: unknown; schemaType?: unknown } {
    if (!answer.ok)
      throw new Problem('unreachable', `${this.#name} answers ${answer.status} to GET ${path}`);
    try {
      return JSON.parse(answer.text) as { schema?: unknown; schemaType?: unknown };
    } catch {
      throw this.#noApi(path);
    }
  }

  #noApi(path: string): Problem {
    return new Problem(
      'unreachable',
      `${this.#name} does not answer GET ${path} as the Confluent API does`,
      'correct kafka.registry.url; for Apicurio, it ends with /apis/ccompat/v7',
    );
  }

  async #get(path: string): Promise<HttpAnswer> {
    const { url, auth, ca } = this.#spec;
    const access = httpAccess(
      url,
      { auth, tls: ca === undefined ? undefined : { ca } },
      this.#secret,
    );
    const request = {
      method: 'GET',
      headers: { accept: MEDIA_TYPE },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    let answer: HttpAnswer;
    try {
      answer = await answered(send(`${url.replace(/\/+$/, '')}${path}`, request, access));
    } catch (error) {
      throw this.#trouble(error, path);
    }
    if (answer.status === 401 || answer.status === 403)
      throw this.#refusedLogin(path, answer.status, access);
    return answer;
  }

  get #name(): string {
    return `the schema registry at ${this.#spec.url}`;
  }

  #trouble(error: unknown, path: string): Problem {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const { ca } = this.#spec;
    return (
      tlsTrouble(cause, { server: this.#name, field: 'kafka.registry', ca }) ??
      new Problem(
        'unreachable',
        `${this.#name} does not answer GET ${path}: ${errorText(cause)}`,
        'start the registry again, or correct kafka.registry.url; the migration continues by itself, or at once with: sluice retry',
      )
    );
  }

  #refusedLogin(path: string, status: number, { authorization }: HttpAccess): Problem {
    return authorization === undefined
      ? new Problem(
          'permission-denied',
          `${this.#name} requires a login (GET ${path}: ${status}), and the spec has no kafka.registry.auth`,
          'add kafka.registry.auth: { username, passwordFrom } or { tokenFrom }',
        )
      : new Problem(
          'permission-denied',
          `${this.#name} refuses the login in kafka.registry.auth (GET ${path}: ${status})`,
          'correct kafka.registry.auth, or the secret that it names, then: sluice retry',
        );
  }
}
