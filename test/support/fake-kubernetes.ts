// Fakes the API server of a Kubernetes cluster, because no cluster is available for the tests. It
// speaks the documented protocol for the objects that Sluice uses. It has versions, generations,
// strict validation, merge patches, conflicts, finalizers and access reviews. Most errors are
// `Status` objects.
import { randomUUID } from 'node:crypto';
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CONNECTOR_SPEC, violations } from './connector-crd.js';

interface Meta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { kind: string; name: string; uid: string }[];
  deletionTimestamp?: string;
}
export interface KubeObject {
  metadata: Meta;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  data?: Record<string, string>;
}
export type Kind = 'kafkaconnectors' | 'kafkaconnects' | 'configmaps';
export type Change = 'ADDED' | 'MODIFIED' | 'DELETED';
interface Said {
  readonly code: number;
  readonly body: object | string;
}
interface Asked {
  readonly verb: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string | undefined;
  readonly body: Record<string, unknown>;
  readonly query: URLSearchParams;
}

const GROUP = 'kafka.strimzi.io';
const OBJECT =
  /^\/(?:api|apis\/kafka\.strimzi\.io)\/v1\/namespaces\/([^/]+)\/(kafkaconnectors|kafkaconnects|configmaps)(?:\/([^/]+))?$/;

export class FakeKubernetes {
  readonly objects = new Map<string, KubeObject>();
  /** The tokens that are valid now. */
  readonly tokens = new Set(['token']);
  /** The rights that the login lacks, each as `verb resource`. */
  readonly denied = new Set<string>();
  /** Requests for objects, each as `verb resource/name`, or `create resource`. */
  readonly requests: string[] = [];
  /** The namespaces that exist. */
  readonly namespaces = new Set(['kafka']);
  /** False if Strimzi's CRDs are not installed. */
  hasCrds = true;
  /** Fields of the CRDs, as OpenAPI shows them. */
  fields = ['templatedVolumes'];
  /** The number of coming patches before which another client changes the object. */
  conflicts = 0;
  readonly #watchers: ((change: Change, kind: Kind, object: KubeObject) => void)[] = [];
  #server: Server | undefined;
  #version = 100;

  async start(tls?: { readonly key: string; readonly cert: string }): Promise<string> {
    const answer = (request: IncomingMessage, text: string): Said => this.#answer(request, text);
    const server = tls ? createTlsServer(tls) : createPlainServer();
    server.on('request', (request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { code, body } = answer(request, Buffer.concat(chunks).toString());
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        response.writeHead(code, { 'content-type': 'application/json' }).end(text);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`;
  }

  async stop(): Promise<void> {
    if (!this.#server) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server!.close(resolve));
  }

  watch(watcher: (change: Change, kind: Kind, object: KubeObject) => void): void {
    this.#watchers.push(watcher);
  }

  get(kind: Kind, name: string, namespace = 'kafka'): KubeObject | undefined {
    return this.objects.get(`${kind}/${namespace}/${name}`);
  }

  /** Creates or replaces an object, as if a client other than Sluice had sent the request. */
  put(
    kind: Kind,
    name: string,
    object: Omit<KubeObject, 'metadata'> & { metadata?: Partial<Meta> },
  ): KubeObject {
    const old = this.get(kind, name);
    const metadata: Meta = {
      generation: 1,
      ...(old?.metadata ?? { uid: randomUUID() }),
      ...object.metadata,
      name,
      namespace: 'kafka',
      resourceVersion: String((this.#version += 1)),
    };
    const isSameSpec = JSON.stringify(old?.spec) === JSON.stringify(object.spec);
    if (old && !isSameSpec) metadata.generation = old.metadata.generation + 1;
    const stored = { ...object, metadata };
    this.objects.set(`${kind}/kafka/${name}`, stored);
    this.#tell(old ? 'MODIFIED' : 'ADDED', kind, stored);
    return stored;
  }

  /** Removes the object's finalizers. A deleted object without finalizers disappears. */
  finish(kind: Kind, name: string): void {
    const { finalizers: _done, ...metadata } = this.get(kind, name)!.metadata;
    const object = this.put(kind, name, { ...this.get(kind, name)!, metadata });
    delete object.metadata.finalizers;
    if (object.metadata.deletionTimestamp) this.#remove(kind, object);
  }

  #tell(change: Change, kind: Kind, object: KubeObject): void {
    for (const watcher of this.#watchers) watcher(change, kind, structuredClone(object));
  }

  #remove(kind: Kind, object: KubeObject): void {
    this.objects.delete(`${kind}/kafka/${object.metadata.name}`);
    this.#tell('DELETED', kind, object);
  }

  #answer(request: IncomingMessage, text: string): Said {
    const url = new URL(request.url!, 'http://api');
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.has(token))
      return status(401, 'Unauthorized', 'Unauthorized');
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    if (url.pathname === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews')
      return { code: 201, body: this.#review(body) };
    if (url.pathname === `/openapi/v3/apis/${GROUP}/v1` && this.hasCrds)
      return {
        code: 200,
        body: { properties: Object.fromEntries(this.fields.map((f) => [f, {}])) },
      };
    const [, namespace, kind, name] = OBJECT.exec(url.pathname) ?? [];
    if (!namespace || !kind || (url.pathname.startsWith('/apis') && !this.hasCrds))
      return { code: 404, body: '404 page not found\n' };
    const method = request.method!;
    const verb = { GET: 'get', POST: 'create', PATCH: 'patch', DELETE: 'delete' }[method]!;
    this.requests.push(`${verb} ${kind}${name ? `/${name}` : ''}`);
    if (this.denied.has(`${verb} ${kind}`))
      return status(403, 'Forbidden', `${kind} is forbidden: User "sluice" cannot ${verb} it`);
    if (verb === 'patch' && request.headers['content-type'] !== 'application/merge-patch+json')
      return status(415, 'UnsupportedMediaType', 'the body is not a merge patch');
    const asked = { verb, kind: kind as Kind, namespace, name, body, query: url.searchParams };
    return verb === 'create' ? this.#create(asked) : this.#onObject(asked);
  }

  #review(body: Record<string, unknown>): object {
    const { resourceAttributes: asked } = body['spec'] as {
      resourceAttributes: { verb: string; resource: string };
    };
    return { ...body, status: { allowed: !this.denied.has(`${asked.verb} ${asked.resource}`) } };
  }

  #create({ kind, namespace, body, query }: Asked): Said {
    const { metadata, spec } = body as unknown as KubeObject;
    const { name } = metadata;
    if (!this.namespaces.has(namespace)) return missing('namespaces', namespace);
    if (this.get(kind, name))
      return status(409, 'AlreadyExists', `${kind}.${GROUP} "${name}" already exists`, kind, name);
    const wrong = invalid(kind, name, spec);
    if (wrong) return wrong;
    if (query.get('dryRun') === 'All') return { code: 201, body };
    const created = this.put(kind, name, { metadata, ...(spec ? { spec } : {}) });
    return { code: 201, body: created };
  }

  #onObject({ verb, kind, name, body }: Asked): Said {
    const found = this.get(kind, name!);
    if (!found) return missing(kind, name!);
    if (verb === 'get') return { code: 200, body: found };
    if (verb === 'delete') return this.#delete(kind, found, body);
    const { resourceVersion } = (body['metadata'] ?? {}) as Partial<Meta>;
    if (this.conflicts > 0) {
      this.conflicts -= 1;
      this.put(kind, name!, found);
    }
    const current = this.get(kind, name!)!.metadata.resourceVersion;
    if (resourceVersion !== undefined && resourceVersion !== current)
      return status(409, 'Conflict', `the object ${name} has been modified`, kind, name);
    // the main resource ignores changes of the status, which is a subresource
    const merged = merge(found, { ...body, status: found.status ?? null }) as KubeObject;
    return invalid(kind, name!, merged.spec) ?? { code: 200, body: this.put(kind, name!, merged) };
  }

  #delete(kind: Kind, found: KubeObject, body: Record<string, unknown>): Said {
    const { uid } = (body['preconditions'] ?? {}) as { uid?: string };
    const { metadata } = found;
    if (uid !== undefined && uid !== metadata.uid)
      return status(409, 'Conflict', `Precondition failed: UID ${uid}`, kind, metadata.name);
    if ((metadata.finalizers ?? []).length > 0) {
      const deletionTimestamp = new Date().toISOString();
      const left = { ...found, metadata: { ...metadata, deletionTimestamp } };
      return { code: 200, body: this.put(kind, metadata.name, left) };
    }
    this.#remove(kind, found);
    return { code: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
  }
}

function status(code: number, reason: string, message: string, kind?: string, name?: string): Said {
  const details = name === undefined ? {} : { details: { name, kind, group: GROUP } };
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
  return { code, body: { ...body, ...details } };
}

const missing = (kind: string, name: string): Said =>
  status(404, 'NotFound', `${kind}.${GROUP} "${name}" not found`, kind, name);

function invalid(kind: Kind, name: string, spec: unknown): Said | null {
  if (kind !== 'kafkaconnectors') return null;
  const { unknown, invalid: wrong } = violations(CONNECTOR_SPEC, spec);
  if (unknown.length > 0)
    return status(400, 'BadRequest', `strict decoding error: ${unknown.join(', ')}`);
  if (wrong.length > 0)
    return status(422, 'Invalid', `KafkaConnector "${name}" is invalid: ${wrong.join(', ')}`);
  return null;
}

/** Applies a JSON merge patch (RFC 7386). */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = { ...(typeof target === 'object' ? (target as Record<string, unknown>) : {}) };
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  return result;
}
