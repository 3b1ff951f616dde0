// Reads the fields of one Protobuf message as JSON texts. The fields of a record may have any
// order.
import { Undecodable } from '../undecodable.js';
import type { ValueRule } from './scalars.js';
import { WIRE, WireInput } from './wire-input.js';

export interface FieldRule {
  readonly id: number;
  readonly value: ValueRule;
  readonly isRepeated: boolean;
  /**
   * True if the field is a message. If it is not repeated, a record may have only one value of it.
   */
  readonly isMessage: boolean;
  /** True if an absent field is NULL, and not the default of its type. */
  readonly hasPresence: boolean;
  /**
   * The name of the field's `oneof` group, or null. If a record has several fields of a group, only
   * the last one counts.
   */
  readonly oneOf: string | null;
}

/** The `oneof` groups of fields that have no rule, by the number of the field. */
export type OtherGroups = ReadonlyMap<number, string>;
const NO_GROUPS: OtherGroups = new Map();

/** Reads a whole message. Returns the JSON of each field, in the order of the rules. */
export function readFields(
  rules: readonly FieldRule[],
  input: WireInput,
  others: OtherGroups = NO_GROUPS,
): string[] {
  const found = rules.map((): string[] => []);
  while (input.at < input.end) {
    const tag = Number(input.varint());
    const [id, wire] = [Math.floor(tag / 8), tag % 8];
    if (id === 0) throw new Undecodable('a field with the number 0');
    const at = rules.findIndex((rule) => rule.id === id);
    if (at < 0) input.skip(wire);
    else readValue(rules[at]!, wire, input, found[at]!);
    const name = rules[at]?.oneOf ?? others.get(id);
    if (name === undefined) continue;
    rules.forEach((rule, other) => {
      if (other !== at && rule.oneOf === name) found[other]!.length = 0;
    });
  }
  return rules.map((rule, at) => jsonOf(rule, found[at]!));
}

function readValue(
  { id, value, isRepeated, isMessage }: FieldRule,
  wire: number,
  input: WireInput,
  found: string[],
): void {
  const isPacked = isRepeated && wire === WIRE.sized && value.wire !== WIRE.sized;
  if (isPacked) {
    const items = input.sized();
    while (items.at < items.end) found.push(value.read(items));
    input.at = items.end;
    return;
  }
  if (wire !== value.wire) throw new Undecodable(`field ${id} has a different type in its schema`);
  if (isMessage && !isRepeated && found.length > 0)
    throw new Undecodable(`field ${id} occurs several times`);
  found.push(value.read(input));
}

function jsonOf({ value, isRepeated, hasPresence }: FieldRule, found: readonly string[]): string {
  if (isRepeated) return `[${found.join(',')}]`;
  return found.at(-1) ?? (hasPresence ? null : value.absent) ?? 'null';
}
