// Lists the kinds of corruption that a window must flag. Each kind damages the records that were
// written for a table, or the table itself.
import type { Value } from '../support/rows.js';
import {
  COLUMN,
  aRow,
  keyOf,
  pick,
  record,
  tombstone,
  valueOf,
  written,
  type Life,
  type Rec,
  type Random,
  type Row,
} from './table-lives.js';

/** Changes the row in the last record of a random key that is still in the table. */
function lastWord(life: Life, next: Random, change: (row: Row) => Row | null): Rec[] | null {
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
type Corrupt = (life: Life, next: Random) => readonly Rec[] | Damaged | null;
const last =
  (change: (row: Row) => Row | null): Corrupt =>
  (life, next) =>
    lastWord(life, next, change);
/** Damages the bytes of the last record of a random key that is still in the table. */
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

export const KINDS: Readonly<Record<string, Corrupt>> = {
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
  'a row under a different key': last(set('id', (id) => String(BigInt(String(id)) + 1000n))),
  'a key rounded to a double': last(
    set('id', (id) =>
      String(Number(String(id))) === id ? undefined : BigInt(Number(String(id))).toString(),
    ),
  ),
  'NULL instead of an empty text': last(set('b', (b) => (b === '' ? null : undefined))),
  'an empty text instead of NULL': last(set('b', (b) => (b === null ? '' : undefined))),
  "'NULL' instead of NULL": last(set('b', (b) => (b === null ? 'NULL' : undefined))),
  "'<null>' instead of NULL": last(set('b', (b) => (b === null ? '<null>' : undefined))),
  'NULL instead of a value': last(set('n', () => null)),
  'a trailing space': last(set('a', (a) => `${a} `)),
  'a text in upper case': last(set('a', (a) => String(a).toUpperCase())),
  'a text in a different Unicode form': last(set('a', (a) => String(a).normalize('NFD'))),
  'a text without its last character': last(set('a', (a) => String(a).slice(0, -1))),
  'a character moved to the next column': last((row) => {
    if (typeof row[1] !== 'string' || row[1] === '' || row[2] === null) return null;
    row[2] = `${row[1].slice(-1)}${String(row[2])}`;
    row[1] = row[1].slice(0, -1);
    return row;
  }),
  'the values of two columns swapped': last((row) =>
    row[1] === row[2] ? null : [row[0]!, row[2]!, row[1]!, ...row.slice(3)],
  ),
  'a rounded decimal': last(set('price', (p) => Number(p).toFixed(2))),
  'a decimal with the opposite sign': last(set('price', (p) => `-${p}`)),
  'a decimal ten times as large': last(
    set('price', (p) =>
      Number(p) === 0 ? undefined : String(p).replace(/(\d+)\.(\d)(\d*)/, '$1$2.$3'),
    ),
  ),
  'a float that differs in its last bit': last(set('rate', (r) => Number(r) * (1 + 2 ** -52))),
  'a float rounded to single precision': last(set('rate', (r) => Math.fround(Number(r)))),
  'a float that is not a number': last(set('rate', () => Number.NaN)),
  'a time cut to milliseconds': last(set('at', (t) => String(t).replace(/(\.\d{3})\d+Z/, '$1Z'))),
  'a time shifted by seven hours': last(set('at', (t) => String(t).replace('T10:', 'T17:'))),
  'a day off by one': last(set('day', (d) => shiftDay(d, 1))),
  'an inverted boolean': last(set('ok', (ok) => !ok)),
  'bytes with a different first byte': last(set('raw', (r) => `01${String(r).slice(2)}`)),
  'bytes without the last byte': last(set('raw', (r) => String(r).slice(0, -2))),
  'a different value inside JSON': last(set('doc', (d) => String(d).replace('"v"', '"w"'))),
  'a uuid with a different last digit': last(
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
  'a record whose key is not the key of its row': (life, next) => {
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
  'a topic created again that has only the changes after the load': (life) => {
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
  'a table replaced by a different one of the same name': (life, next) => ({
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
  'a text in a wrong encoding': bytes((text) =>
    Buffer.from(text.replace(/"a":"(?:[^"\\]|\\.)*"/g, '"a":"\u00e9"'), 'latin1'),
  ),
  'a record without its transaction id': bytes((text) =>
    text.replace(/"txId":\d+/, '"txId":null').replace('"op":"r"', '"op":"c"'),
  ),
  'a record whose operation is not a change of a row': bytes((text) =>
    text.replace(/"op":"."/, '"op":"t"'),
  ),
};
