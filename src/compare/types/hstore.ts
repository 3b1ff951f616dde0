// Reads hstore. Debezium writes it as a JSON object in a string, and Postgres prints it as
// `"key"=>"value", "other"=>NULL`. The order of the pairs does not matter.
import { TOAST_PLACEHOLDER } from '../../domain/values/toast-placeholder.js';
import { fail, text, wrong, type Codec } from './codec.js';

type Pair = readonly [key: string, value: string | null];

/** Debezium's hstore for an unchanged TOAST value. */
export const PLACEHOLDER_HSTORE = JSON.stringify({ [TOAST_PLACEHOLDER]: TOAST_PLACEHOLDER });

const PRINTED = /"([^"\\]*(?:\\.[^"\\]*)*)"=>(?:"([^"\\]*(?:\\.[^"\\]*)*)"|NULL)(?:, (?=")|$)/gsy;
const unescaped = (value: string): string => value.replaceAll(/\\(.)/gs, '$1');

function printedPairs(printed: string): Pair[] {
  const pairs: Pair[] = [];
  let end = 0;
  for (const match of printed.matchAll(PRINTED)) {
    pairs.push([unescaped(match[1]!), match[2] === undefined ? null : unescaped(match[2])]);
    end = match.index + match[0].length;
  }
  return end === printed.length ? pairs : fail('expected an hstore');
}

const STRING = String.raw`"[^"\\]*(?:\\.[^"\\]*)*"`;
const MEMBER = new RegExp(String.raw`(${STRING}):(${STRING}|null)(?:,(?=")|\}$)`, 'gsy');

/** Reads the members of a JSON object one by one, because JSON.parse would merge equal names. */
function jsonPairs(json: string): Pair[] {
  if (json === '{}') return [];
  const pairs: Pair[] = [];
  let end = 1;
  MEMBER.lastIndex = end; // matchAll begins at this place
  for (const match of json.matchAll(MEMBER)) {
    pairs.push([stringOf(match[1]!), match[2] === 'null' ? null : stringOf(match[2]!)]);
    end = match.index + match[0].length;
  }
  return end === json.length && json.endsWith('}') ? pairs : fail('expected an hstore as JSON');
}

function stringOf(json: string): string {
  try {
    return JSON.parse(json) as string;
  } catch {
    return fail('expected a JSON string');
  }
}

/** Prints the pairs as JSON, in the order of their keys. */
function canonical(pairs: readonly Pair[]): string {
  const byKey = new Map(pairs);
  if (byKey.size !== pairs.length) wrong('expected each key once');
  const members = [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}

/**
 * Reads the value of a record: Debezium's JSON, or Postgres' own text, which a polling connector
 * writes. Postgres' text never begins with a brace.
 */
function pairsOf(value: string): Pair[] {
  if (value === PLACEHOLDER_HSTORE)
    return fail('an unchanged TOAST value, which the record does not contain');
  return value.startsWith('{') ? jsonPairs(value) : printedPairs(value);
}

export const hstore: Codec = {
  fromText: (printed) => canonical(printedPairs(printed)),
  fromJson: (value) => canonical(pairsOf(text(value))),
};

/** Prints a record's value in a form that Postgres reads. Throws Undecodable if it is no hstore. */
export function hstoreLiteral(value: unknown): string {
  const quote = (part: string): string => `"${part.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return pairsOf(text(value))
    .map(([key, item]) => `${quote(key)}=>${item === null ? 'NULL' : quote(item)}`)
    .join(', ');
}
