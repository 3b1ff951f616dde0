// Defines how a type's values become canonical text, and the parts that several types share.
import { LongNumber } from '../json.js';
import { Undecodable, WrongType } from '../undecodable.js';

export interface Codec {
  /** Reads Postgres' output (UTC, ISO dates, ISO intervals, hex bytea). */
  readonly fromText: (text: string) => string;
  /** Reads Debezium's output with Sluice's connector settings. */
  readonly fromJson: (value: unknown) => string;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

const FLOAT = /^(?:NaN|-?(?:Infinity|\d+(?:\.\d+)?(?:e[+-]?\d+)?))$/;

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new WrongType(`expected a string, got ${typeof value}`);
  if (LONE_SURROGATE.test(value)) throw new Undecodable('a surrogate without its pair');
  return value;
}

export function wrong(message: string): never {
  throw new WrongType(message);
}

export function fail(message: string): never {
  throw new Undecodable(message);
}

export const same = (value: string): string => value;

export const both = (f: (value: string) => string, fromText = f): Codec => ({
  fromText,
  fromJson: (value) => f(text(value)),
});

/** Both sides have the text that Postgres printed, so equal values have equal text. */
export const plain: Codec = { fromText: same, fromJson: text };

export function float(toPrecision: (value: number) => number): Codec {
  const canonical = (value: number): string =>
    Object.is(value, -0) ? '0' : String(toPrecision(value));
  const finite = (value: number): string =>
    Number.isFinite(toPrecision(value)) ? canonical(value) : wrong('expected a number in range');
  return {
    fromText: (t) => (FLOAT.test(t) ? canonical(Number(t)) : fail('expected a number')),
    fromJson: (value) => {
      if (typeof value === 'number') return finite(value);
      if (typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)) return value;
      if (value instanceof LongNumber) return finite(Number(value.text));
      throw new WrongType('expected a number');
    },
  };
}
