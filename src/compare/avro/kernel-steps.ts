// Compiles an Avro schema into the steps by which the kernel (kernel/assembly/avro.ts) reads a
// record or a key. A schema with a type that the kernel does not know has no steps.
import { logicalOf } from './logical-types.js';
import { PRIMITIVES } from './scalars.js';
import type { Schema, SchemaObject } from './schema-types.js';
import type { Shape } from '../row-comparison.js';

// The kinds of steps in addition to the scalars (`SCALAR` in schema-types.ts).
const RECORD = 7;
const END = 8;
// The `use` of a step says what its value is for. For a value of a column, it is the position of
// the column. For any other value, it is a negative number: one of `USES`, or `NO_USE`.
const NO_USE = -1;
const USES: ReadonlyMap<string, number> = new Map([
  ['op', -2],
  ['txId', -3],
  ['before', -4],
  ['after', -5],
]);
const NOT_NULLABLE = -1;

/**
 * Returns the steps of a schema, in four 32-bit words each. The schema describes the change events
 * of a table with this shape, or their keys. Returns null if the kernel cannot read such values.
 */
export function stepsOf(text: string, { columns, key }: Shape): Int32Array<ArrayBuffer> | null {
  try {
    const root = recordOf(JSON.parse(text) as Schema);
    const steps = new Steps(columns.map(({ name }) => name));
    const names = (root.fields ?? []).map(({ name }) => name);
    const isEvent = ['op', 'source', 'after'].every((name) => names.includes(name));
    const isKey = names.length === key.length && key.every((name) => names.includes(name));
    if (!isEvent && !isKey) return null;
    // The kernel takes the last row of an event, so the row after the change must come last.
    if (isEvent && names.lastIndexOf('before') > names.indexOf('after')) return null;
    steps.root(root, isEvent ? 'event' : 'row');
    return steps.finish();
  } catch (error) {
    if (error instanceof NotForKernel || error instanceof SyntaxError) return null;
    throw error;
  }
}

class NotForKernel extends Error {}

/** The part of a change event that contains a member. `none` is any part that is not read. */
type Part = 'event' | 'source' | 'row' | 'none';

class Steps {
  readonly #columns: readonly string[];
  readonly #words: number[] = [];
  readonly #named = new Map<string, SchemaObject>();
  readonly #open = new Set<SchemaObject>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  root(record: SchemaObject, part: Part): void {
    this.#members(record, part, '');
  }

  finish(): Int32Array<ArrayBuffer> {
    return Int32Array.from([...this.#words, END, NOT_NULLABLE, NO_USE, 0]);
  }

  #members(record: SchemaObject, part: Part, around: string): void {
    const name = fullName(record.name ?? '', record.namespace ?? around);
    const namespace = name.slice(0, Math.max(name.lastIndexOf('.'), 0));
    if (this.#open.has(record)) throw new NotForKernel(); // a type that contains itself
    this.#open.add(record);
    this.#named.set(name, record);
    for (const field of record.fields ?? []) this.#member(field.name, field.type, part, namespace);
    this.#open.delete(record);
  }

  #member(name: string, type: Schema, part: Part, namespace: string): void {
    const { schema, nullAt } = nullable(type);
    const use = this.#useOf(name, part);
    const known = typeof schema === 'string' ? this.#find(schema, namespace) : schema;
    if (isObject(known) && known.type === 'record') {
      if (part === 'row' && use !== NO_USE) throw new NotForKernel(); // a column of several values
      const at = this.#words.length;
      this.#words.push(RECORD, nullAt, use, 0);
      this.#members(known, partOf(name, part), namespace);
      this.#words[at + 3] = this.#words.length * Int32Array.BYTES_PER_ELEMENT;
      return;
    }
    if ((part === 'event' && (name === 'before' || name === 'after')) || !known)
      throw new NotForKernel();
    this.#words.push(scalarOf(known), nullAt, use, 0);
  }

  #useOf(name: string, part: Part): number {
    if (part === 'row') return this.#columns.indexOf(name);
    const isNamed = part === 'event' ? name !== 'txId' : part === 'source' && name === 'txId';
    return isNamed ? (USES.get(name) ?? NO_USE) : NO_USE;
  }

  #find(name: string, namespace: string): Schema | undefined {
    if (Object.hasOwn(PRIMITIVES, name)) return name;
    return this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
  }
}

function partOf(name: string, part: Part): Part {
  if (part !== 'event') return 'none';
  return name === 'before' || name === 'after' ? 'row' : name === 'source' ? 'source' : 'none';
}

const isObject = (schema: Schema | undefined): schema is SchemaObject =>
  typeof schema === 'object' && !Array.isArray(schema);

function recordOf(schema: Schema): SchemaObject {
  if (isObject(schema) && schema.type === 'record') return schema;
  throw new NotForKernel();
}

/** Returns the type of a value, and the position of null in its union if it may be null. */
function nullable(type: Schema): { schema: Schema; nullAt: number } {
  if (typeof type === 'string' || isObject(type)) return { schema: type, nullAt: NOT_NULLABLE };
  const nullAt = type.indexOf('null');
  const schema = type[1 - nullAt];
  if (type.length !== 2 || nullAt < 0 || schema === undefined || Array.isArray(schema))
    throw new NotForKernel();
  return { schema, nullAt };
}

/** Returns the kind of a scalar. Throws NotForKernel for any other type. */
function scalarOf(schema: Schema): number {
  const type = isObject(schema) ? schema.type : schema;
  if (typeof type !== 'string' || (isObject(schema) && logicalOf(schema))) throw new NotForKernel();
  const { plain } = Object.hasOwn(PRIMITIVES, type) ? PRIMITIVES[type]! : {};
  if (!plain) throw new NotForKernel();
  return plain.scalar;
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
