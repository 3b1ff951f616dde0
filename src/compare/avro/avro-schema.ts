// Compiles an Avro schema into a function that rewrites values as JSON. The JSON has the form that
// Kafka Connect's JSON converter writes.
import { Undecodable } from '../undecodable.js';
import { noBranch, type AvroInput } from './avro-input.js';
import type { Content } from '../record-decoder.js';
import { logicalOf } from './logical-types.js';
import { recordOf } from './record-members.js';
import { enumOf, fixedOf, PRIMITIVES } from './scalars.js';
import { SCALAR, type Rewrite, type Schema, type SchemaObject } from './schema-types.js';

const [OPEN, CLOSE, COMMA, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x2c, 0x5b, 0x5d];

/**
 * The members of a change event that a comparison reads. Writing the other members would only take
 * time.
 */
const OF_ENVELOPE: ReadonlySet<string> = new Set(['before', 'after', 'source', 'op']);
const OF_SOURCE: ReadonlySet<string> = new Set(['txId', 'lsn']);

/** Compiles the text of a schema. Throws Undecodable if the text is not JSON. */
export function compileSchema(text: string, content: Content): Rewrite {
  let schema: Schema;
  try {
    schema = JSON.parse(text) as Schema;
  } catch {
    throw new Undecodable('its schema is not JSON');
  }
  return new Compiler().root(schema, content);
}

/** Compiles one schema. Keeps the named types, because any type may refer to them by name. */
class Compiler {
  readonly #named = new Map<string, Rewrite>();

  root(schema: Schema, content: Content): Rewrite {
    const fields = isObject(schema) && content === 'changes' ? schema.fields : undefined;
    const isEnvelope = ['op', 'source'].every((name) => fields?.some((f) => f.name === name));
    return isEnvelope ? this.#envelope(schema as SchemaObject) : this.#compile(schema, '');
  }

  /** Writes only the members of a change event that a comparison reads. */
  #envelope(schema: SchemaObject): Rewrite {
    const namespace = inside(fullName(schema.name ?? '', schema.namespace ?? ''));
    const members = (schema.fields ?? []).map(({ name, type }) => ({
      name,
      isWritten: OF_ENVELOPE.has(name),
      rewrite:
        name === 'source' && isObject(type) && type.type === 'record'
          ? this.#record(type, namespace, OF_SOURCE)
          : this.#compile(type, namespace),
    }));
    return recordOf(members);
  }

  #compile(schema: Schema, namespace: string): Rewrite {
    if (typeof schema === 'string') return this.#byName(schema, namespace);
    if (!isObject(schema)) return this.#union(schema, namespace);
    const logical = logicalOf(schema);
    if (logical) return schema.name ? this.#name(schema, namespace, logical) : logical;
    switch (schema.type) {
      case 'record':
        return this.#record(schema, namespace);
      case 'array':
        return arrayOf(this.#compile(schema.items!, namespace));
      case 'map':
        return mapOf(this.#compile(schema.values!, namespace));
      case 'enum':
        return this.#name(schema, namespace, enumOf(schema.symbols ?? []));
      case 'fixed':
        return this.#name(schema, namespace, fixedOf(schema));
      default:
        return this.#compile(schema.type, namespace);
    }
  }

  #byName(name: string, namespace: string): Rewrite {
    const primitive = PRIMITIVES[name];
    if (primitive) return primitive;
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const isKnown = (): Rewrite => {
      const known = this.#named.get(full) ?? this.#named.get(name);
      if (known) return known;
      throw new Undecodable(`its schema has no type ${name}`);
    };
    if (this.#named.has(full) || this.#named.has(name)) return isKnown();
    return (input, out) => isKnown()(input, out); // such as a type that contains itself
  }

  #name({ name = '', namespace: own }: SchemaObject, around: string, rewrite: Rewrite): Rewrite {
    this.#named.set(fullName(name, own ?? around), rewrite);
    return rewrite;
  }

  #record(schema: SchemaObject, around: string, only?: ReadonlySet<string>): Rewrite {
    const full = fullName(schema.name ?? '', schema.namespace ?? around);
    const members = (schema.fields ?? []).map(({ name, type }) => ({
      name,
      isWritten: only?.has(name) ?? true,
      rewrite: this.#compile(type, inside(full)),
    }));
    const rewrite = recordOf(members);
    this.#named.set(full, rewrite);
    return rewrite;
  }

  #union(branches: readonly Schema[], namespace: string): Rewrite {
    const all = branches.map((branch) => this.#compile(branch, namespace));
    const rewrite: Rewrite = (input, out) => {
      const branch = all[input.count()];
      if (!branch) throw noBranch();
      branch(input, out);
    };
    return Object.assign(rewrite, plainUnion(all));
  }
}

/** Describes a union of null and a scalar. Returns an empty object for any other union. */
function plainUnion(branches: readonly Rewrite[]): Pick<Rewrite, 'plain'> {
  if (branches.length !== 2) return {};
  const nullAt = branches.findIndex(({ plain }) => plain?.scalar === SCALAR.null);
  const { plain } = branches[1 - nullAt] ?? {};
  return nullAt < 0 || !plain || plain.nullAt !== undefined
    ? {}
    : { plain: { scalar: plain.scalar, nullAt } };
}

const isObject = (schema: Schema): schema is SchemaObject =>
  typeof schema === 'object' && schema !== null && !Array.isArray(schema);

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

/** Returns the namespace of the types that a named type contains. */
const inside = (full: string): string => full.slice(0, Math.max(full.lastIndexOf('.'), 0));

/** Calls `item` for each item of an array or map. Avro writes the items in blocks. */
function eachItem(input: AvroInput, item: () => void): void {
  for (let count = input.count(); count !== 0; count = input.count()) {
    if (count < 0) input.skipLong(); // the size of the block in bytes
    for (let left = Math.abs(count); left > 0; left -= 1) {
      const before = input.at;
      item();
      if (input.at === before && left > input.end) throw new Undecodable('an endless block');
    }
  }
}

function arrayOf(rewrite: Rewrite): Rewrite {
  return (input, out) => {
    let separator = OPEN_LIST;
    eachItem(input, () => {
      out?.byte(separator);
      separator = COMMA;
      rewrite(input, out);
    });
    if (separator === OPEN_LIST) out?.byte(OPEN_LIST);
    out?.byte(CLOSE_LIST);
  };
}

function mapOf(rewrite: Rewrite): Rewrite {
  return (input, out) => {
    let separator = OPEN;
    eachItem(input, () => {
      const from = input.sized();
      out?.byte(separator);
      separator = COMMA;
      out?.string(input.bytes, from, input.at);
      out?.byte(0x3a);
      rewrite(input, out);
    });
    if (separator === OPEN) out?.byte(OPEN);
    out?.byte(CLOSE);
  };
}
