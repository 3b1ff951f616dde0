// Encodes and decodes Kafka's "flexible" requests and answers (compact lengths, tagged fields),
// which kafkajs does not support. A caller describes a structure by its fields, in the order in
// which Kafka sends them.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder') as new (size: number) => {
  buf: Buffer;
  offset: number;
};

/** Reads one value and moves the cursor past it. */
export type Read<T> = (from: Cursor) => T;

/** A position in an answer. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

const advance = (from: Cursor, length: number): number => {
  const { at } = from;
  if (length < 0 || at + length > from.bytes.length) throw new Error('the answer ends too early');
  from.at += length;
  return at;
};

function varint(from: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = from.bytes[advance(from, 1)]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Error('the answer contains an invalid length');
}

export const int8: Read<number> = (from) => from.bytes.readInt8(advance(from, 1));
export const int16: Read<number> = (from) => from.bytes.readInt16BE(advance(from, 2));
export const int32: Read<number> = (from) => from.bytes.readInt32BE(advance(from, 4));
export const int64: Read<bigint> = (from) => from.bytes.readBigInt64BE(advance(from, 8));
export const uuid: Read<string> = (from) => {
  const at = advance(from, 16);
  return from.bytes.toString('hex', at, at + 16);
};

/** Reads a text. Null becomes the empty string. */
export const text: Read<string> = (from) => {
  const length = varint(from) - 1;
  if (length < 0) return '';
  const at = advance(from, length);
  return from.bytes.toString('utf8', at, at + length);
};

/** Reads a list. Null becomes an empty list. */
export const list =
  <T>(of: Read<T>): Read<T[]> =>
  (from) => {
    const items: T[] = [];
    for (let left = varint(from) - 1; left > 0; left -= 1) items.push(of(from));
    return items;
  };

/** Reads a structure that may be null. */
export const maybe =
  <T>(of: Read<T>): Read<T | null> =>
  (from) =>
    int8(from) < 0 ? null : of(from);

/** Reads the fields of a structure, and skips the tagged fields that follow them. */
export const fields =
  <T extends object>(shape: { readonly [K in keyof T]: Read<T[K]> }): Read<T> =>
  (from) => {
    const read: Record<string, unknown> = {};
    for (const [name, of] of Object.entries<Read<unknown>>(shape)) {
      read[name] = of(from);
    }
    for (let left = varint(from); left > 0; left -= 1) {
      varint(from);
      advance(from, varint(from));
    }
    return read as T;
  };

/**
 * Builds a request in the form that kafkajs uses. The body begins with an empty list of tagged
 * fields, because the request header that kafkajs writes lacks this list.
 */
export function flexibleCall<T>(
  { apiKey, apiVersion, apiName }: { apiKey: number; apiVersion: number; apiName: string },
  body: Buffer,
  answer: Read<T>,
): { request: object; response: object } {
  return {
    request: {
      apiKey,
      apiVersion,
      apiName,
      encode: () => {
        const encoder = new Encoder(1 + body.length);
        encoder.buf.writeInt8(0, 0);
        body.copy(encoder.buf, 1);
        encoder.offset = 1 + body.length;
        return Promise.resolve(encoder);
      },
    },
    response: {
      decode: (raw: Buffer) => {
        const cursor = { bytes: raw, at: 0 };
        fields({})(cursor); // the tagged fields of the answer's header
        return Promise.resolve(answer(cursor));
      },
      parse: (data: T) => Promise.resolve(data),
    },
  };
}

/** Encodes a list of texts in the form that flexible requests use. */
export function compactTexts(texts: readonly string[]): Buffer {
  const parts = texts.flatMap((value) => {
    const bytes = Buffer.from(value);
    return [length(bytes.length + 1), bytes];
  });
  return Buffer.concat([length(texts.length + 1), ...parts]);
}

function length(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Buffer.from([...bytes, left]);
}
