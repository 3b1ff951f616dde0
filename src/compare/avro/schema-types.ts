// Defines the parts of an Avro schema that the compiler reads, and the functions that it makes from
// them.
import type { AvroInput } from './avro-input.js';
import type { JsonOutput } from '../json-output.js';

/** The types whose values contain no other values. An `int` is a `long` here. */
export const SCALAR = {
  null: 0,
  boolean: 1,
  long: 2,
  float: 3,
  double: 4,
  bytes: 5,
  string: 6,
} as const;
export type Scalar = (typeof SCALAR)[keyof typeof SCALAR];

/** Reads one value and writes its JSON. If `out` is null, it only skips the value. */
export interface Rewrite {
  (input: AvroInput, out: JsonOutput | null): void;
  /** Says that the value is a scalar, or a union of null and a scalar. */
  readonly plain?: {
    readonly scalar: Scalar;
    /** The position of null in the union. Undefined if the value is never null. */
    readonly nullAt?: number;
  };
}

/** A schema as the registry returns it, parsed. */
export type Schema = string | readonly Schema[] | SchemaObject;

export interface SchemaObject {
  readonly type: Schema;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly symbols?: readonly string[];
  readonly size?: number;
  readonly logicalType?: string;
  readonly scale?: number;
  readonly 'connect.name'?: string;
}
