// Reads the value of a record, which is JSON, or Avro in Confluent's wire format. Your own pipeline
// should use its registry's deserializer instead.

/** Converts the bytes of a value to an object. */
export type Read = (bytes: Buffer) => Promise<unknown>;

/**
 * Returns the reader. `registry` is the URL of a schema registry's Confluent-compatible API, which
 * only Avro needs.
 */
export function readerOf(registry: string | undefined): Read {
  const schemas = new Map<number, Promise<Parsed>>();
  return async (bytes) => {
    if (bytes[0] !== 0) return JSON.parse(bytes.toString()) as unknown;
    if (registry === undefined) throw new Error('set REGISTRY_URL, because the topic is Avro');
    const id = bytes.readUInt32BE(1);
    const known = schemas.get(id) ?? schemaOf(registry, id);
    schemas.set(id, known);
    const { schema, named } = await known;
    return new AvroValue(bytes, named).read(schema);
  };
}

async function schemaOf(registry: string, id: number): Promise<Parsed> {
  const answer = await fetch(`${registry}/schemas/ids/${id}`);
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} for schema ${id}`);
  const schema = JSON.parse(((await answer.json()) as { schema: string }).schema) as Schema;
  const named = new Map<string, Complex>();
  collect(schema, undefined, named);
  return { schema, named };
}

/**
 * Finds the types that have a name. Other parts of the schema may refer to such a type by its name.
 */
function collect(schema: Schema, above: string | undefined, named: Map<string, Complex>): void {
  if (typeof schema === 'string') return;
  if (Array.isArray(schema)) return schema.forEach((branch) => collect(branch, above, named));
  const namespace = schema.namespace ?? above;
  if (schema.name) {
    named.set(schema.name, schema);
    if (namespace) named.set(`${namespace}.${schema.name}`, schema);
  }
  const fields = (schema.fields ?? []).map(({ type }) => type);
  for (const inner of [schema.type, schema.items, schema.values, ...fields])
    if (inner !== undefined) collect(inner, namespace, named);
}

type Schema = string | Schema[] | Complex;
interface Complex {
  readonly type: Schema;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
  readonly items?: Schema;
  readonly values?: Schema;
}

/** A schema, and its types that have a name. */
interface Parsed {
  readonly schema: Schema;
  readonly named: ReadonlyMap<string, Complex>;
}

const HEADER_BYTES = 5; // a zero byte and the id of the schema

/**
 * Reads one value in Avro's binary encoding. It supports only the types that the records of this
 * example contain. For example, it does not support `bytes` or `fixed`.
 */
class AvroValue {
  readonly #bytes: Buffer;
  readonly #named: Parsed['named'];
  #at = HEADER_BYTES;

  constructor(bytes: Buffer, named: Parsed['named']) {
    this.#bytes = bytes;
    this.#named = named;
  }

  read(schema: Schema): unknown {
    if (Array.isArray(schema)) return this.read(schema[this.#long()]!);
    return typeof schema === 'string' ? this.#simple(schema) : this.#complex(schema);
  }

  #simple(type: string): unknown {
    switch (type) {
      case 'null':
        return null;
      case 'boolean':
        return this.#bytes[this.#at++] === 1;
      case 'int':
      case 'long':
        return this.#long();
      case 'double':
        return this.#bytes.readDoubleLE((this.#at += 8) - 8);
      case 'string': {
        const length = this.#long();
        return this.#bytes.toString('utf8', this.#at, (this.#at += length));
      }
      default: {
        const named = this.#named.get(type);
        if (!named) throw new Error(`this example does not read the Avro type ${type}`);
        return this.read(named);
      }
    }
  }

  #complex(schema: Complex): unknown {
    if (schema.type === 'record')
      return Object.fromEntries(
        schema.fields!.map(({ name, type }) => [name, this.read(type)] as const),
      );
    if (schema.type === 'array') return this.#blocks(() => this.read(schema.items!));
    if (schema.type === 'map')
      return Object.fromEntries(
        this.#blocks(() => [this.read('string'), this.read(schema.values!)] as const),
      ) as unknown;
    return this.read(schema.type);
  }

  #blocks<T>(read: () => T): T[] {
    const found: T[] = [];
    for (let count = this.#long(); count !== 0; count = this.#long()) {
      if (count < 0) this.#long(); // the size of the block in bytes
      for (let left = Math.abs(count); left > 0; left -= 1) found.push(read());
    }
    return found;
  }

  /**
   * Reads a number in zigzag form. The result is exact for the numbers in the table `movements`,
   * which are less than 2^53.
   */
  #long(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  }
}
