// Makes a random history of a table: its changes, its rows at the end, and the records that a
// connector writes for them.
import type { Shape } from '../../src/compare/row-comparison.js';
import { envelope, jsonImage, type Value } from '../support/rows.js';

const COLUMNS: readonly [name: string, type: string][] = [
  ['id', 'int8'],
  ['a', 'text'],
  ['b', 'text'],
  ['price', 'numeric'],
  ['rate', 'float8'],
  ['at', 'timestamptz'],
  ['day', 'date'],
  ['ok', 'bool'],
  ['raw', 'bytea'],
  ['doc', 'jsonb'],
  ['ref', 'uuid'],
  ['n', 'int4'],
];
export const NAMES = COLUMNS.map(([name]) => name);
export const TYPES = COLUMNS.map(([, type]) => type);
export const SHAPE: Shape = {
  key: ['id'],
  columns: COLUMNS.map(([name, type]) => ({ name, type })),
};
export const COLUMN = Object.fromEntries(NAMES.map((name, at) => [name, at])) as Record<
  string,
  number
>;

export type Row = Value[];
export interface Event {
  readonly op: 'r' | 'c' | 'u' | 'd';
  readonly row: Row;
  readonly tx: number;
}
export type Random = () => number;

export const pick = <T>(next: Random, from: readonly T[]): T =>
  from[Math.floor(next() * from.length)]!;
const hex = (next: Random, length: number): string =>
  Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');

export function aRow(next: Random, id: string): Row {
  const two = (n: number): string => String(Math.floor(next() * n) + 1).padStart(2, '0');
  return [
    id,
    pick(next, ['alpha', 'Beta é', 'x|y', '', `t${hex(next, 6)}`]),
    pick(next, [null, '', 'gamma', 'NULL', `u${hex(next, 3)}`]),
    `${Math.floor(next() * 1e6)}.${two(98)}5`,
    next() * 1000,
    `2026-${two(12)}-${two(28)}T10:${two(58)}:${two(58)}.${two(98)}3457Z`,
    `2026-${two(12)}-${two(28)}`,
    next() < 0.5,
    `00${hex(next, 12)}ff`,
    JSON.stringify({ k: Math.floor(next() * 1e6), s: 'v' }),
    `${hex(next, 8)}-${hex(next, 4)}-4${hex(next, 3)}-8${hex(next, 3)}-${hex(next, 12)}`,
    Math.floor(next() * 1e9),
  ];
}

export interface Life {
  readonly table: Map<string, Row>;
  readonly events: Event[];
}

/**
 * Makes the history of a table: the events, and the content at the end. The ids are larger than
 * 2^53.
 */
export function aLife(next: Random): Life {
  const table = new Map<string, Row>();
  const events: Event[] = [];
  const ids = Array.from({ length: 12 }, (_, at) => String(9007199254740993n + BigInt(at)));
  for (const id of ids.slice(0, 9)) {
    table.set(id, aRow(next, id));
    events.push({ op: 'r', row: table.get(id)!, tx: 0 });
  }
  for (let tx = 100; tx < 130; tx += 1) {
    const id = pick(next, ids);
    const isThere = table.has(id);
    if (isThere && next() < 0.25) {
      events.push({ op: 'd', row: table.get(id)!, tx });
      table.delete(id);
    } else {
      table.set(id, aRow(next, id));
      events.push({ op: isThere ? 'u' : 'c', row: table.get(id)!, tx });
    }
  }
  return { table, events };
}

/** A record of the topic. A null value is a tombstone. */
export interface Rec {
  readonly key: string | null;
  readonly value: Buffer | null;
}

export const keyOf = (id: Value): string => `{"id":${String(id)}}`;
export const valueOf = ({ op, row, tx }: Event): Buffer =>
  envelope(op, jsonImage(NAMES, TYPES, row), tx);
export const record = (event: Event): Rec => ({ key: keyOf(event.row[0]!), value: valueOf(event) });
export const tombstone = (id: Value): Rec => ({ key: keyOf(id), value: null });
/** Writes records as a connector does. Each delete has its tombstone. */
export const written = (events: readonly Event[]): Rec[] =>
  events.flatMap((e) => (e.op === 'd' ? [record(e), tombstone(e.row[0]!)] : [record(e)]));
