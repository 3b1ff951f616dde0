// Reads the geometric types of Postgres. Debezium writes a point, a line and a circle as numbers.
// It writes the other types as well-known binary (WKB) with the name of the type. (It also repeats
// a point as WKB.) The canonical form is the list of numbers. On both sides, each number has all
// digits of a double.
import { base64Bytes } from '../base64.js';
import { fail, float, wrong, type Codec } from './codec.js';

type Json = Readonly<Record<string, unknown>>;

const double = float((value) => value);
const NUMBER = String.raw`-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity|NaN)`;
const POINT = String.raw`\(${NUMBER},${NUMBER}\)`;

/** Returns a reader of Postgres' text. The canonical form begins with `mark`. */
const printed = (form: string, mark = ''): ((text: string) => string) => {
  const [whole, number] = [new RegExp(`^${form}$`), new RegExp(NUMBER, 'g')];
  return (text) => {
    if (!whole.test(text)) return fail('expected a geometric value');
    return mark + text.match(number)!.map(double.fromText).join(' ');
  };
};

const object = (value: unknown): Json =>
  value !== null && typeof value === 'object' ? (value as Json) : wrong('expected an object');
const joined = (values: readonly unknown[]): string => values.map(double.fromJson).join(' ');

const WKB_POINT = 1;
const WKB_LINE = 2;
const WKB_POLYGON = 3;

/** Returns the coordinates of a shape in little-endian WKB. A polygon has one ring. */
function coordinates(value: unknown, kind: number): number[] {
  if (typeof value !== 'string') return wrong('expected WKB in base64');
  const bytes = base64Bytes(value);
  const head = kind === WKB_POINT ? 5 : kind === WKB_LINE ? 9 : 13;
  if (bytes.length < head || bytes[0] !== 1 || bytes.readUInt32LE(1) !== kind)
    return wrong('expected WKB of another kind');
  const points = kind === WKB_POINT ? 1 : bytes.readUInt32LE(head - 4);
  if (kind === WKB_POLYGON && bytes.readUInt32LE(5) !== 1) return wrong('expected one ring');
  if (bytes.length !== head + points * 16) return wrong('expected all points of the shape');
  return Array.from({ length: points * 2 }, (_, at) => bytes.readDoubleLE(head + at * 8));
}

/** JSON has no NaN and no infinities, so a record has these numbers as texts. */
const asJson = (value: number): unknown => (Number.isFinite(value) ? value : String(value));

/** Reads a point, which a record has as numbers and as WKB. Both must be the same. */
function pointOf(value: unknown): string {
  const { x, y, wkb } = object(value);
  const read = joined([x, y]);
  if (joined(coordinates(wkb, WKB_POINT).map(asJson)) !== read) wrong('expected two equal points');
  return read;
}

/** Returns the coordinates of a shape whose record names its type. */
function shape(value: unknown, type: string, kind: number): number[] {
  const { wkb, extensions } = object(value);
  if (object(extensions)['type'] !== type) wrong(`expected a ${type}`);
  return coordinates(wkb, kind);
}

const list = (numbers: readonly number[]): string => joined(numbers.map(asJson));

const isClosed = (numbers: readonly number[]): boolean =>
  numbers[0] === numbers.at(-2) && numbers[1] === numbers.at(-1);

/**
 * Reads a polygon. A record repeats the first point at the end, unless the last point is already
 * the same.
 */
function ring(numbers: readonly number[]): string {
  return numbers.some(Number.isNaN) || !isClosed(numbers)
    ? fail('expected a closed ring')
    : list(numbers.slice(0, -2));
}

const POLYGON = printed(String.raw`\(${POINT}(?:,${POINT})*\)`);

function polygonText(text: string): string {
  const read = POLYGON(text);
  const numbers = read.split(' ').map(Number);
  // A polygon that repeats its first point has the same record as a polygon without that point.
  return isClosed(numbers) || read.includes('NaN') ? fail('expected an open ring') : read;
}

/** Reads a box, whose record is a ring that begins at its upper right corner. */
function corners(numbers: readonly number[]): string {
  const [right, top, , , left, bottom] = numbers;
  const expected = [right, top, right, bottom, left, bottom, left, top, right, top];
  const isBox = numbers.length === 10 && numbers.every((number, at) => number === expected[at]);
  return isBox ? list([right!, top!, left!, bottom!]) : fail('expected the ring of a box');
}

export const GEOMETRY: Readonly<Record<string, Codec>> = {
  point: { fromText: printed(POINT), fromJson: pointOf },
  line: {
    fromText: printed(String.raw`\{${NUMBER},${NUMBER},${NUMBER}\}`),
    fromJson: (value) => joined(['a', 'b', 'c'].map((name) => object(value)[name])),
  },
  lseg: {
    fromText: printed(String.raw`\[${POINT},${POINT}\]`),
    fromJson: (value) => list(shape(value, 'lseg', WKB_LINE)),
  },
  box: {
    fromText: printed(`${POINT},${POINT}`),
    fromJson: (value) => corners(shape(value, 'box', WKB_POLYGON)),
  },
  path: {
    fromText: (text) =>
      text.startsWith('[')
        ? printed(String.raw`\[${POINT}(?:,${POINT})*\]`, 'open ')(text)
        : printed(String.raw`\(${POINT}(?:,${POINT})*\)`, 'closed ')(text),
    fromJson: (value) => {
      const closed = object(object(value)['extensions'])['closed'];
      if (closed !== 'true' && closed !== 'false') wrong('expected an open or closed path');
      const mark = closed === 'true' ? 'closed ' : 'open ';
      return mark + list(shape(value, 'path', WKB_LINE));
    },
  },
  polygon: {
    fromText: polygonText,
    fromJson: (value) => ring(shape(value, 'polygon', WKB_POLYGON)),
  },
  circle: {
    fromText: printed(`<${POINT},${NUMBER}>`),
    fromJson: (value) => {
      const { center, radius } = object(value);
      return `${pointOf(center)} ${joined([radius])}`;
    },
  },
};
