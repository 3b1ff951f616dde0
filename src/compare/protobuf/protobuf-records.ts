// Rewrites Protobuf records as the JSON that OutputReader expects. A schema can define several
// messages, so each record names its message in the bytes that follow the schema's id. The package
// protobufjs parses only the schema. Sluice reads the record itself, because it must keep integers
// of 64 bits exact, and distinguish absent fields from default values.
import protobuf from 'protobufjs';
import type { JsonOutput } from '../json-output.js';
import { RegistryRecords, type RewriteValue } from '../registry-records.js';
import { Undecodable } from '../undecodable.js';
import { readFields, type FieldRule, type OtherGroups } from './fields.js';
import { KNOWN_MESSAGES } from './known-messages.js';
import { enumRule, SCALARS, type ValueRule } from './scalars.js';
import { WIRE, WireInput } from './wire-input.js';

/**
 * The maximum number of nesting levels in the path to a record's message. Each level has one
 * number.
 */
const MOST_LEVELS = 32;
const COMMENT = /\/\*[^]*?\*\/|\/\/[^\n]*/g;
const PROTO3 = /^\s*syntax\s*=\s*["']proto3["']\s*;/;

export class ProtobufRecords extends RegistryRecords {
  constructor() {
    super({ record: 'a Protobuf record', schemaType: 'PROTOBUF', compile });
  }
}

interface Message {
  readonly rules: readonly FieldRule[];
  /** The names of the fields as JSON, each with its colon. */
  readonly names: readonly string[];
  readonly others: OtherGroups;
}

function compile(schema: string): RewriteValue {
  if (!PROTO3.test(schema.replace(COMMENT, '')))
    throw new Undecodable('its schema is not in proto3');
  const { root, package: name } = protobuf.parse(schema, { keepCase: true });
  const file =
    name === undefined || name === null ? root : (root.lookup(name) as protobuf.Namespace);
  const messages = new Map<string, Message>();
  return (bytes, from, to, out) => {
    const input = new WireInput(bytes, from, to);
    const path = pathOf(input);
    const id = path.join();
    const message = messages.get(id) ?? messageAt(file, path);
    messages.set(id, message);
    write(message, input, out);
  };
}

/** Reads the path to the record's message: its index at each level, from the file inward. */
function pathOf(input: WireInput): number[] {
  const next = (): number => {
    const value = Number(input.varint());
    if (value % 2 !== 0)
      throw new Undecodable('the index of its message in the schema is negative');
    return value / 2;
  };
  const count = next();
  if (count > MOST_LEVELS) throw new Undecodable('a message that is nested too deeply');
  return count === 0 ? [0] : Array.from({ length: count }, next);
}

function messageAt(file: protobuf.NamespaceBase, path: readonly number[]): Message {
  let found: protobuf.NamespaceBase = file;
  for (const at of path) {
    const messages = found.nestedArray.filter((one) => one instanceof protobuf.Type);
    const message = messages[at];
    if (!message) throw new Undecodable(`a message (${path.join()}) that its schema does not have`);
    found = message;
  }
  const [rules, names]: [FieldRule[], string[]] = [[], []];
  const others = new Map<number, string>();
  for (const field of (found as protobuf.Type).fieldsArray) {
    const rule = ruleOf(field, found as protobuf.Type);
    if (!rule) {
      if (field.partOf) others.set(field.id, field.partOf.name);
      continue;
    }
    rules.push(rule);
    names.push(`${JSON.stringify(field.name)}:`);
  }
  return { rules, names, others };
}

/**
 * Returns how a field is read. Returns null for a map, and for a message or an imported enum that
 * KNOWN_MESSAGES does not list. Sluice does not read these as the value of a column. The JSON then
 * lacks the column, so the row counts as unknown.
 */
function ruleOf(field: protobuf.Field, around: protobuf.Type): FieldRule | null {
  if (field.map) return null;
  const value = valueRule(field.type, around);
  if (!value) return null;
  const isMessage = value.wire === WIRE.sized && !Object.hasOwn(SCALARS, field.type);
  const isOptional = field.options?.['proto3_optional'] === true;
  return {
    id: field.id,
    value,
    isRepeated: field.repeated,
    isMessage,
    hasPresence: isMessage || isOptional || field.partOf !== null,
    oneOf: isOptional ? null : (field.partOf?.name ?? null),
  };
}

function valueRule(type: string, around: protobuf.Type): ValueRule | null {
  if (Object.hasOwn(SCALARS, type)) return SCALARS[type]!;
  const local = around.lookup(type, [protobuf.Type, protobuf.Enum]);
  if (local instanceof protobuf.Enum) return enumRule(local.valuesById);
  const name = type.replace(/^\./, '');
  return local === null && Object.hasOwn(KNOWN_MESSAGES, name) ? KNOWN_MESSAGES[name]! : null;
}

function write({ rules, names, others }: Message, input: WireInput, out: JsonOutput): void {
  const values = readFields(rules, input, others);
  const members = values.map((value, at) => names[at]! + value);
  out.raw(Buffer.from(`{${members.join(',')}}`));
}
