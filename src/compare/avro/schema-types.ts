// Defines the parts of an Avro schema that the compiler reads, and the functions that it makes from
// them.
import type { AvroInput } from './avro-input.js';
import type { JsonOutput } from '../json-output.js';

/** Reads one value and writes its JSON. If `out` is null, it only skips the value. */
export type Rewrite = (input: AvroInput, out: JsonOutput | null) => void;

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
