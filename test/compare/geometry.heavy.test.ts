// Tests the canonical form of the geometric types. The records come from a real Debezium, or this
// test writes them in the same form.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromJson, canonFromText } from '../../src/compare/column-types.js';
import { Undecodable } from '../../src/compare/undecodable.js';

const LINE = 'AQIAAAACAAAAAAAAAAAA8D8AAAAAAAAAQAAAAAAAAAhAAAAAAAAAEEA=';
const POINT = { x: 1, y: 2, wkb: 'AQEAAAAAAAAAAADwPwAAAAAAAABA', srid: null };
const shape = (wkb: string, extensions: Record<string, string>): object => ({
  wkb,
  srid: null,
  extensions,
});
const BOX =
  'AQMAAAABAAAABQAAAAAAAAAAAAhAAAAAAAAAEEAAAAAAAAAIQAAAAAAAAABAAAAAAAAA8D8AAAAAAAAAQAAAAAAAAPA/AAAAAAAAEEAAAAAAAAAIQAAAAAAAABBA';

describe('a geometric value', () => {
  it.each<[string, string, unknown]>([
    ['point', '(1,2)', POINT],
    ['line', '{1,2,3}', { a: 1, b: 2, c: 3 }],
    ['lseg', '[(1,2),(3,4)]', shape(LINE, { type: 'lseg' })],
    ['box', '(3,4),(1,2)', shape(BOX, { type: 'box' })],
    ['path', '[(1,2),(3,4)]', shape(LINE, { type: 'path', closed: 'false' })],
    ['path', '((1,2),(3,4))', shape(LINE, { type: 'path', closed: 'true' })],
    ['circle', '<(1,2),3>', { center: POINT, radius: 3 }],
  ])('of type %s is equal to the record that Debezium writes: %s', (type, text, json) => {
    expect(canonFromText(type, text)).toBe(canonFromJson(type, json));
  });

  it.each<[string, string, unknown]>([
    ['path', '((1,2),(3,4))', shape(LINE, { type: 'path', closed: 'false' })],
    ['line', '{1,2,4}', { a: 1, b: 2, c: 3 }],
    ['lseg', '[(1,2),(3,5)]', shape(LINE, { type: 'lseg' })],
    ['box', '(3,5),(1,2)', shape(BOX, { type: 'box' })],
    ['circle', '<(1,2),4>', { center: POINT, radius: 3 }],
  ])('of type %s differs from the record of a different value: %s', (type, text, json) => {
    expect(canonFromText(type, text)).not.toBe(canonFromJson(type, json));
  });

  it.each<[string, unknown]>([
    ['point', { ...POINT, x: 7 }],
    ['point', { x: 1, y: 2 }],
    ['box', shape(LINE, { type: 'box' })],
    ['box', shape(BOX, { type: 'polygon' })],
    ['path', shape(LINE, { type: 'path' })],
    ['lseg', { wkb: LINE, srid: null }],
    ['circle', { center: { x: 1 }, radius: 3 }],
    ['line', { a: 1, b: 2 }],
  ])('of type %s cannot be decoded from a different form: %j', (type, json) => {
    expect(() => canonFromJson(type, json)).toThrow(Undecodable);
  });
});

const coordinate = fc.double().map((n) => (n === 0 ? 0 : n));
const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 2, maxLength: 6 });
type Points = (readonly [number, number])[];

function polygonWkb(ring: Points): string {
  const bytes = Buffer.alloc(13 + ring.length * 16);
  bytes[0] = 1;
  [3, 1, ring.length].forEach((word, at) => bytes.writeUInt32LE(word, 1 + at * 4));
  ring.flat().forEach((number, at) => bytes.writeDoubleLE(number, 13 + at * 8));
  return bytes.toString('base64');
}
const printed = (list: Points): string => `(${list.map(([x, y]) => `(${x},${y})`).join(',')})`;
const record = (ring: Points): object => shape(polygonWkb(ring), { type: 'polygon' });

describe('a polygon', () => {
  it('equals the record of its own ring only, and is unknown with NaN or equal end points', () => {
    fc.assert(
      fc.property(points, coordinate, (list, other) => {
        const [first, last] = [list[0]!, list.at(-1)!];
        const isUnknown =
          list.flat().some(Number.isNaN) || (first[0] === last[0] && first[1] === last[1]);
        if (isUnknown) {
          expect(() => canonFromText('polygon', printed(list))).toThrow(Undecodable);
          return;
        }
        const canon = canonFromText('polygon', printed(list));
        expect(canonFromJson('polygon', record([...list, first]))).toBe(canon);
        if (Number.isNaN(other) || other === first[0]) return;
        const moved: Points = [[other, first[1]], ...list.slice(1)];
        expect(canonFromJson('polygon', record([...moved, moved[0]!]))).not.toBe(canon);
      }),
    );
  });
});
