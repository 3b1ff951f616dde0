// Makes seeded corruptions of a stream, of every known kind. A comparison must flag every one of
// them. Also makes as many clean windows, with open transactions and repeated deliveries, none of
// which may be flagged.
import { describe, expect, it } from 'vitest';
import { canonFromText } from '../../src/compare/column-types.js';
import { Comparison, joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { HashComparison, runHashCanary } from '../../src/compare/hash-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { comparedOf } from '../../src/domain/evidence/counts.js';
import { binaryRow, envelope, feed, jsonImage, random, type Value } from '../support/rows.js';

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
const NAMES = COLUMNS.map(([name]) => name);
const TYPES = COLUMNS.map(([, type]) => type);
const SHAPE: Shape = { key: ['id'], columns: COLUMNS.map(([name, type]) => ({ name, type })) };
const COLUMN = Object.fromEntries(NAMES.map((name, at) => [name, at])) as Record<string, number>;

type Row = Value[];
interface Event {
  readonly op: 'r' | 'c' | 'u' | 'd';
  readonly row: Row;
  readonly tx: number;
}
type Random = () => number;

const pick = <T>(next: Random, from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
const hex = (next: Random, length: number): string =>
  Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');

function aRow(next: Random, id: string): Row {
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

/** The life of a table: its content at the end, and the events before. Ids are beyond 2^53. */
function aLife(next: Random): { table: Map<string, Row>; events: Event[] } {
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
interface Rec {
  readonly key: string | null;
  readonly value: Buffer | null;
}

const keyOf = (id: Value): string => `{"id":${String(id)}}`;
const valueOf = ({ op, row, tx }: Event): Buffer => envelope(op, jsonImage(NAMES, TYPES, row), tx);
const record = (event: Event): Rec => ({ key: keyOf(event.row[0]!), value: valueOf(event) });
const tombstone = (id: Value): Rec => ({ key: keyOf(id), value: null });
/** Writes records as a connector does. Each delete has its tombstone. */
const written = (events: readonly Event[]): Rec[] =>
  events.flatMap((e) => (e.op === 'd' ? [record(e), tombstone(e.row[0]!)] : [record(e)]));

/** Values of a source's transaction counter, on both sides of the middle of its 32-bit epoch. */
const COUNTERS = [1000, 2 ** 31 + 1000, 3_000_000_000, 2 ** 32 + 1000, 2 ** 32 + 3_000_000_000];

/** Prints a value like Postgres. */
const printed = (type: string, value: Value): string | null =>
  value === null
    ? null
    : type === 'bytea'
      ? `\\x${String(value)}`
      : type === 'bool'
        ? value === true
          ? 't'
          : 'f'
        : String(value);
const textRow = (row: Row): string =>
  joinRow(row.map((value, at) => canonFromText(TYPES[at]!, printed(TYPES[at]!, value))));

/**
 * Returns whether a window over these records reports anything but "all equal". It compares by
 * hashes and row by row (as in the drill-down, and for tables with tolerances). Both ways must
 * agree for every transaction counter.
 */
function isFlagged(table: Map<string, Row>, records: readonly Rec[], counter = 1000): boolean {
  const base = counter - 1000;
  const snapshot = parseSnapshot(`${counter}:${counter}:`);
  const fold = new HashFold(SHAPE, 16);
  const rows = new TableFold(SHAPE, { losesRefused: true });
  for (const { key, value } of records) {
    const text = value
      ?.toString('latin1')
      .replace(
        /"txId":(\d+)/,
        (_all, tx) => `"txId":${tx === '0' ? 0 : (base + Number(tx)) % 2 ** 32}`,
      );
    const moved = text === undefined ? null : Buffer.from(text, 'latin1');
    for (const one of [fold, rows]) feed<SnapshotVisibility>(one, key, moved, snapshot);
  }
  const comparison = new HashComparison(fold.table, fold.encoder);
  const byRow = new Comparison(SHAPE, rows.rows, 1);
  for (const row of table.values()) {
    comparison.add(binaryRow(TYPES, row), 0);
    byRow.add(joinRow([String(row[0])]), textRow(row));
  }
  const { extraneous } = comparison.finish();
  const { counts } = byRow.finish();
  const [byHash, drilled] = [
    comparison.suspected + extraneous,
    comparedOf(counts) - counts.matched,
  ];
  if (byHash + fold.unreadable > 0 !== drilled + rows.unreadable > 0)
    throw new Error(
      `by hash ${byHash} and ${fold.unreadable} unreadable, row by row ${drilled} and ${rows.unreadable}`,
    );
  return byHash + comparison.duplicates + fold.unreadable > 0;
}

/** Replaces the last record of a key that still exists. */
function lastWord(
  life: ReturnType<typeof aLife>,
  next: Random,
  change: (row: Row) => Row | null,
): Rec[] | null {
  const id = pick(next, [...life.table.keys()]);
  const at = life.events.findLastIndex((e) => e.row[0] === id);
  const changed = change([...life.events[at]!.row]);
  if (!changed) return null;
  return written(life.events.map((e, n) => (n === at ? { ...e, row: changed } : e)));
}

const set =
  (column: string, change: (value: Value, row: Row) => Value | undefined) => (row: Row) => {
    const to = change(row[COLUMN[column]!]!, row);
    if (to === undefined || to === row[COLUMN[column]!]) return null;
    row[COLUMN[column]!] = to;
    return row;
  };

interface Damaged {
  /** The rows of the table. If absent, they are unchanged. */
  readonly table?: Map<string, Row>;
  readonly records: readonly Rec[];
}
type Corrupt = (life: ReturnType<typeof aLife>, next: Random) => readonly Rec[] | Damaged | null;
const last =
  (change: (row: Row) => Row | null): Corrupt =>
  (life, next) =>
    lastWord(life, next, change);
/** Damages the bytes of the last record of a key that still exists. */
const bytes =
  (change: (text: string) => Buffer | string): Corrupt =>
  (life, next) => {
    const id = pick(next, [...life.table.keys()]);
    const at = life.events.findLastIndex((e) => e.row[0] === id);
    const value = Buffer.from(change(valueOf(life.events[at]!).toString('utf8')));
    return life.events.flatMap((e, n) => (n === at ? [{ key: keyOf(id), value }] : written([e])));
  };
const shiftDay = (value: Value, days: number): string =>
  new Date(Date.parse(`${String(value).slice(0, 10)}T00:00:00Z`) + days * 86_400_000)
    .toISOString()
    .slice(0, 10);

const KINDS: Readonly<Record<string, Corrupt>> = {
  'a lost row': (life, next) => {
    const id = pick(next, [...life.table.keys()]);
    return written(life.events.filter((e) => e.row[0] !== id));
  },
  'a lost last update': (life, next) => {
    const id = pick(next, [...life.table.keys()]);
    const at = life.events.findLastIndex((e) => e.row[0] === id);
    return written(life.events.filter((_, n) => n !== at));
  },
  'a lost delete': (life) => {
    const at = life.events.findLastIndex((e) => e.op === 'd' && !life.table.has(String(e.row[0])));
    return at < 0 ? null : written(life.events.filter((_, n) => n !== at));
  },
  'a delete that never happened': (life, next) =>
    written([...life.events, { op: 'd', row: pick(next, [...life.table.values()]), tx: 500 }]),
  'a row that never existed': (life, next) =>
    written([...life.events, { op: 'c', row: aRow(next, '77'), tx: 500 }]),
  'an older version delivered again': (life, next) => {
    const old = life.events.filter(
      (e, n) =>
        life.table.has(String(e.row[0])) &&
        life.events.findLastIndex((o) => o.row[0] === e.row[0]) > n &&
        e.op !== 'd',
    );
    return old.length === 0 ? null : [...written(life.events), record(pick(next, old))];
  },
  'two updates in the wrong order': (life, next) => {
    const id = pick(next, [...life.table.keys()]);
    const own = life.events.map((e, n) => [e, n] as const).filter(([e]) => e.row[0] === id);
    if (own.length < 2) return null;
    const [a, b] = [own.at(-2)![1], own.at(-1)![1]];
    const events = [...life.events];
    [events[a], events[b]] = [events[b]!, events[a]!];
    return written(events);
  },
  'a row under another key': last(set('id', (id) => String(BigInt(String(id)) + 1000n))),
  'a key rounded as a double': last(
    set('id', (id) =>
      String(Number(String(id))) === id ? undefined : BigInt(Number(String(id))).toString(),
    ),
  ),
  'NULL instead of empty': last(set('b', (b) => (b === '' ? null : undefined))),
  'empty instead of NULL': last(set('b', (b) => (b === null ? '' : undefined))),
  "'NULL' instead of NULL": last(set('b', (b) => (b === null ? 'NULL' : undefined))),
  "'<null>' instead of NULL": last(set('b', (b) => (b === null ? '<null>' : undefined))),
  'NULL instead of a value': last(set('n', () => null)),
  'a trailing space': last(set('a', (a) => `${a} `)),
  'another case': last(set('a', (a) => String(a).toUpperCase())),
  'another Unicode form': last(set('a', (a) => String(a).normalize('NFD'))),
  'a cut text': last(set('a', (a) => String(a).slice(0, -1))),
  'a separator moved between columns': last((row) => {
    if (typeof row[1] !== 'string' || row[1] === '' || row[2] === null) return null;
    row[2] = `${row[1].slice(-1)}${String(row[2])}`;
    row[1] = row[1].slice(0, -1);
    return row;
  }),
  'two columns swapped': last((row) =>
    row[1] === row[2] ? null : [row[0]!, row[2]!, row[1]!, ...row.slice(3)],
  ),
  'a decimal rounded': last(set('price', (p) => Number(p).toFixed(2))),
  'a decimal with the other sign': last(set('price', (p) => `-${p}`)),
  'a decimal ten times as large': last(
    set('price', (p) =>
      Number(p) === 0 ? undefined : String(p).replace(/(\d+)\.(\d)(\d*)/, '$1$2.$3'),
    ),
  ),
  'a float one bit off': last(set('rate', (r) => Number(r) * (1 + 2 ** -52))),
  'a float rounded to single': last(set('rate', (r) => Math.fround(Number(r)))),
  'a float that is not a number': last(set('rate', () => Number.NaN)),
  'a time cut to milliseconds': last(set('at', (t) => String(t).replace(/(\.\d{3})\d+Z/, '$1Z'))),
  'a time shifted by seven hours': last(set('at', (t) => String(t).replace('T10:', 'T17:'))),
  'a day off by one': last(set('day', (d) => shiftDay(d, 1))),
  'a flag turned': last(set('ok', (ok) => !ok)),
  'a bit in bytes': last(set('raw', (r) => `01${String(r).slice(2)}`)),
  'bytes cut short': last(set('raw', (r) => String(r).slice(0, -2))),
  'a value inside JSON': last(set('doc', (d) => String(d).replace('"v"', '"w"'))),
  'one digit of a uuid': last(
    set('ref', (u) => `${String(u).slice(0, -1)}${String(u).endsWith('0') ? '1' : '0'}`),
  ),
  'an integer off by one': last(set('n', (n) => Number(n) + 1)),
  'rows of two keys exchanged': (life, next) => {
    const [x, y] = [pick(next, [...life.table.keys()]), pick(next, [...life.table.keys()])];
    if (x === y) return null;
    const at = (id: string): number => life.events.findLastIndex((e) => e.row[0] === id);
    const events = [...life.events];
    const [ex, ey] = [events[at(x)]!, events[at(y)]!];
    events[life.events.indexOf(ex)] = { ...ex, row: [x, ...ey.row.slice(1)] };
    events[life.events.indexOf(ey)] = { ...ey, row: [y, ...ex.row.slice(1)] };
    return written(events);
  },
  'a tombstone without a delete': (life, next) => [
    ...written(life.events),
    tombstone(pick(next, [...life.table.keys()])),
  ],
  'a tombstone instead of the last update': (life, next) => {
    const id = pick(next, [...life.table.keys()]);
    const at = life.events.findLastIndex((e) => e.row[0] === id);
    return life.events.flatMap((e, n) => (n === at ? [tombstone(id)] : written([e])));
  },
  "the key of another row's record": (life, next) => {
    const [x, y] = [pick(next, [...life.table.keys()]), pick(next, [...life.table.keys(), '77'])];
    if (x === y) return null;
    const at = life.events.findLastIndex((e) => e.row[0] === x);
    return life.events.flatMap((e, n) =>
      n === at ? [{ key: keyOf(y), value: valueOf(e) }] : written([e]),
    );
  },
  'a record without a key': (life, next) => {
    const at = Math.floor(next() * life.events.length);
    return life.events.flatMap((e, n) =>
      n === at ? [{ key: null, value: valueOf(e) }] : written([e]),
    );
  },
  'a record whose key is not JSON': (life, next) => {
    const at = Math.floor(next() * life.events.length);
    return life.events.flatMap((e, n) =>
      n === at ? [{ key: String(e.row[0]), value: valueOf(e) }] : written([e]),
    );
  },
  'a tombstone whose key cannot be read': (life) => [
    ...written(life.events),
    { key: 'Struct{id=7}', value: null },
  ],
  'a topic that was emptied': () => [],
  'a topic created again with only the changing keys': (life) => {
    const hot = life.events.filter((e) => e.op !== 'r');
    return [...life.table.keys()].every((id) => hot.some((e) => e.row[0] === id))
      ? null
      : written(hot);
  },
  'a detached partition': (life) => {
    const kept = [...life.table].filter((_, n) => n % 3 !== 0);
    return kept.length === life.table.size
      ? null
      : { table: new Map(kept), records: written(life.events) };
  },
  'an emptied table': (life) => ({ table: new Map(), records: written(life.events) }),
  'a table swapped for another of the same name': (life, next) => ({
    table: new Map([...life.table.keys()].map((id) => [id, aRow(next, id)])),
    records: written(life.events),
  }),
  'a field that is absent': bytes((text) => text.replace(/,"n":-?\d+/g, '')),
  'an unchanged TOAST value': bytes((text) =>
    text.replace(/"a":"(?:[^"\\]|\\.)*"/g, '"a":"__debezium_unavailable_value"'),
  ),
  'broken JSON': bytes((text) => text.slice(0, 150)),
  'bad UTF-8': bytes((text) =>
    Buffer.concat([
      Buffer.from(text.split('"doc":"')[0]!),
      Buffer.from('"doc":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(text.split('"doc":"').slice(1).join('"doc":"')),
    ]),
  ),
  'another encoding': bytes((text) =>
    Buffer.from(text.replace(/"a":"(?:[^"\\]|\\.)*"/g, '"a":"\u00e9"'), 'latin1'),
  ),
  'a record without its transaction': bytes((text) =>
    text.replace(/"txId":\d+/, '"txId":null').replace('"op":"r"', '"op":"c"'),
  ),
  'another operation': bytes((text) => text.replace(/"op":"."/, '"op":"t"')),
};

describe('the comparison core', () => {
  it(`flags 1,000 of 1,000 corruptions of ${Object.keys(KINDS).length} kinds`, () => {
    const kinds = Object.entries(KINDS);
    expect(kinds.length).toBeGreaterThanOrEqual(50);
    const missed: string[] = [];
    const tried = new Map<string, number>();
    let flagged = 0;
    for (let seed = 1; flagged < 1000 && missed.length === 0; seed += 1) {
      const next = random(seed);
      const [kind, corrupt] = kinds[seed % kinds.length]!;
      const life = aLife(next);
      const damaged = life.table.size === 0 ? null : corrupt(life, next);
      if (!damaged) continue; // this table has nothing that this kind could damage
      const { table = life.table, records } = 'records' in damaged ? damaged : { records: damaged };
      tried.set(kind, (tried.get(kind) ?? 0) + 1);
      if (isFlagged(table, records, COUNTERS[seed % COUNTERS.length])) flagged += 1;
      else missed.push(`${kind} (seed ${seed})`);
    }
    expect(missed).toEqual([]);
    expect([...tried.keys()].sort()).toEqual(kinds.map(([kind]) => kind).sort());
  });

  it('flags none of 1,000 clean windows, with open transactions and repeated deliveries', () => {
    for (let seed = 1; seed <= 1000; seed += 1) {
      const next = random(seed);
      const { table, events } = aLife(next);
      // Records of open transactions, which the snapshot does not see, must not count. A run of
      // consecutive records is delivered again, as after a restart of the connector.
      const inFlight = Array.from({ length: 3 }, (): Event => ({
        op: 'u',
        row: aRow(next, pick(next, [...table.keys(), '5'])),
        tx: 2000,
      }));
      const from = Math.floor(next() * events.length);
      const records = written([...events, ...events.slice(from), ...inFlight]);
      expect(isFlagged(table, records, COUNTERS[seed % COUNTERS.length]), `seed ${seed}`).toBe(
        false,
      );
    }
  });

  it('its canary finds exactly what it planted, in any sample of rows', () => {
    const next = random(3);
    for (let size = 0; size <= 9; size += 1) {
      const rows = Array.from({ length: size }, (_, at) =>
        binaryRow(TYPES, aRow(next, String(at + 1))),
      );
      const { planted, found } = runHashCanary(SHAPE, rows);
      expect(found).toBe(planted);
      expect(planted).toBeGreaterThan(0);
    }
  });
});
