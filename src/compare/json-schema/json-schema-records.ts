// Rewrites records in JSON Schema as the JSON that OutputReader expects. The value of such a
// record is JSON already. Its schema says which fields have a logical type of Kafka Connect.
import { CONNECT_DECIMAL, connectTime } from '../connect-times.js';
import type { JsonOutput } from '../json-output.js';
import { RegistryRecords, type RewriteValue } from '../registry-records.js';
import { Undecodable } from '../undecodable.js';

export class JsonSchemaRecords extends RegistryRecords {
  constructor() {
    super({ record: 'a JSON Schema record', schemaType: 'JSON', compile });
  }
}

/** The parts of a JSON Schema that say how Kafka Connect's converter wrote a value. */
interface Schema {
  readonly $ref?: unknown;
  readonly oneOf?: unknown;
  readonly anyOf?: unknown;
  readonly type?: unknown;
  readonly title?: unknown;
  readonly properties?: unknown;
  readonly items?: unknown;
  readonly 'connect.parameters'?: unknown;
}

/** The maximum length of a chain of references between schemas. A longer chain may be a cycle. */
const MOST_STEPS = 32;

function compile(text: string): RewriteValue {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw new Undecodable('its schema is not JSON');
  }
  const fields = logicalFields(root);
  if (fields.length === 0) return (bytes, from, to, out) => out.raw(bytes.subarray(from, to));
  const head = Buffer.from(`{"schema":${JSON.stringify({ fields })},"payload":`);
  return (bytes, from, to, out) => wrap(head, bytes.subarray(from, to), out);
}

/** Writes the value in the form of Kafka Connect's JSON with schema. */
function wrap(head: Buffer, payload: Buffer, out: JsonOutput): void {
  try {
    JSON.parse(payload.toString('utf8'));
  } catch {
    throw new Undecodable('its value is not JSON');
  }
  out.raw(head);
  out.raw(payload);
  out.byte(0x7d);
}

/** Lists the fields that have a logical type, or whose items have one. */
function logicalFields(root: unknown): object[] {
  const row = plain(root, root);
  const properties = isObject(row.properties) ? row.properties : {};
  return Object.entries(properties).flatMap(([field, property]) => {
    const logical = logicalOf(property, root);
    return logical ? [{ field, ...logical }] : [];
  });
}

/** Returns the logical type of a value or of its items. An array of arrays has none. */
function logicalOf(schema: unknown, root: unknown, isItem = false): object | null {
  const { title, items, 'connect.parameters': parameters } = plain(schema, root);
  if (typeof title === 'string' && (title === CONNECT_DECIMAL || connectTime(title)))
    return { name: title, parameters };
  const ofItems = isItem || !isObject(items) ? null : logicalOf(items, root, true);
  return ofItems && { items: ofItems };
}

/** Follows references, and chooses the branch that is not null. */
function plain(schema: unknown, root: unknown): Schema {
  let found = schema;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (!isObject(found)) return {};
    const { $ref, oneOf, anyOf } = found as Schema;
    const branches = Array.isArray(oneOf) ? oneOf : Array.isArray(anyOf) ? anyOf : null;
    if (typeof $ref === 'string') found = referred($ref, root);
    else if (branches) found = lone(branches);
    else return found;
  }
  throw new Undecodable('its schema refers to itself, or has more than 32 references in a row');
}

function referred(ref: string, root: unknown): unknown {
  if (ref !== '#' && !ref.startsWith('#/'))
    throw new Undecodable(`its schema refers to another schema (${ref})`);
  let found = root;
  for (const part of ref.split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(found) || !Object.hasOwn(found, name))
      throw new Undecodable(`its schema has no ${ref}`);
    found = found[name];
  }
  return found;
}

/** Returns the only branch that is not null. Returns null if there is none, or several. */
function lone(branches: readonly unknown[]): unknown {
  const others = branches.filter((branch) => !isObject(branch) || branch['type'] !== 'null');
  return others.length === 1 ? others[0] : null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
