// Reads geometry and geography, the types of PostGIS. On both sides, a value is extended well-known
// binary (EWKB). Postgres prints it in hex. Debezium writes it in base64, and repeats its SRID, the
// number of its reference system. The canonical form is the hex in lowercase.
import { base64Bytes } from '../base64.js';
import { fail, wrong, type Codec } from './codec.js';

const BIG_ENDIAN = 0;
const LITTLE_ENDIAN = 1;
/** The size of the shortest shape: the byte order, the kind of shape, and one more number. */
const SHORTEST = 9;
const AT_SRID = 5;
/** A bit of the word for the kind of shape. The SRID follows that word only if the bit is set. */
const HAS_SRID = 0x2000_0000;

/** Returns the SRID, or null if the value has none. Throws Undecodable if this is not EWKB. */
function sridOf(bytes: Uint8Array): number | null {
  const order = bytes[0];
  if (bytes.length < SHORTEST || (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN))
    return fail('expected EWKB');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittle = order === LITTLE_ENDIAN;
  return (view.getUint32(1, isLittle) & HAS_SRID) === 0 ? null : view.getInt32(AT_SRID, isLittle);
}

/** Returns the bytes if they begin like EWKB. Throws Undecodable otherwise. */
export function ewkb<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  sridOf(bytes);
  return bytes;
}

/** Returns the EWKB of a record's value. Throws Undecodable if it has none, or unequal SRIDs. */
export function ewkbOfJson(value: unknown): Buffer {
  if (value === null || typeof value !== 'object') return wrong('expected an object');
  const { wkb, srid, extensions } = value as Readonly<Record<string, unknown>>;
  if (typeof wkb !== 'string') return wrong('expected EWKB in base64');
  // only the geometric types of Postgres itself have extensions
  if (extensions !== null && extensions !== undefined) return wrong('expected no extensions');
  const bytes = base64Bytes(wkb);
  return sridOf(bytes) === srid ? bytes : wrong('expected the SRID of the EWKB');
}

const HEX = /^(?:[0-9A-F]{2})+$/i;

/** Returns the EWKB that Postgres printed. Throws Undecodable if the text is not EWKB in hex. */
export const ewkbOfText = (text: string): Buffer =>
  HEX.test(text) ? ewkb(Buffer.from(text, 'hex')) : fail('expected EWKB in hex');

const codec: Codec = {
  fromText: (text) => ewkbOfText(text).toString('hex'),
  fromJson: (value) => ewkbOfJson(value).toString('hex'),
};

export const POSTGIS: Readonly<Record<string, Codec>> = { geometry: codec, geography: codec };

/** Converts Postgres' text to the JSON that Debezium writes. Throws what `ewkbOfText` throws. */
export function postgisJson(type: string, text: string): string {
  const bytes = ewkbOfText(text);
  const extensions = type === 'geometry' ? ',"extensions":null' : '';
  return `{"wkb":"${bytes.toString('base64')}","srid":${sridOf(bytes)}${extensions}}`;
}
