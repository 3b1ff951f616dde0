// Rewrites records of Avro as objects of JSON. Most members are plain values, such as strings and
// numbers, or null. Plain members that follow each other are rewritten in one loop. A function call
// for each of them would take more time than the work itself.
import type { JsonOutput } from '../json-output.js';
import type { AvroInput } from './avro-input.js';
import { skipScalar, writeScalar } from './scalars.js';
import type { Rewrite, Scalar } from './schema-types.js';

const CLOSE = 0x7d;
const NULL = Buffer.from('null');
const NO_MEMBERS = Buffer.from('{}');
const NOT_NULLABLE = -1;

export interface Member {
  readonly name: string;
  readonly isWritten: boolean;
  readonly rewrite: Rewrite;
}

interface Named extends Member {
  /** The text before the value: a separator and the name. */
  readonly prefix: Buffer;
}

export function recordOf(members: readonly Member[]): Rewrite {
  const first = members.find(({ isWritten }) => isWritten);
  const named = members.map((member) => ({
    ...member,
    prefix: Buffer.from(`${member === first ? '{' : ','}${JSON.stringify(member.name)}:`),
  }));
  const parts: Rewrite[] = [];
  for (let at = 0; at < named.length;) {
    let end = at;
    while (end < named.length && named[end]!.rewrite.plain) end += 1;
    parts.push(end === at ? single(named[at]!) : plainRun(named.slice(at, end)));
    at = Math.max(end, at + 1);
  }
  return (input, out) => {
    for (const part of parts) part(input, out);
    if (out === null) return;
    if (first) out.byte(CLOSE);
    else out.raw(NO_MEMBERS);
  };
}

const single =
  ({ isWritten, prefix, rewrite }: Named): Rewrite =>
  (input, out) => {
    if (out === null || !isWritten) return rewrite(input, null);
    out.raw(prefix);
    rewrite(input, out);
  };

/** Rewrites members that are all plain. */
function plainRun(members: readonly Named[]): Rewrite {
  const kinds = Uint8Array.from(members, ({ rewrite }) => rewrite.plain!.scalar);
  const nulls = Int8Array.from(members, ({ rewrite }) => rewrite.plain!.nullAt ?? NOT_NULLABLE);
  const prefixes = members.map(({ isWritten, prefix }) => (isWritten ? prefix : null));
  return (input, out) => {
    for (let at = 0; at < kinds.length; at += 1) {
      const nullAt = nulls[at]!;
      const isNull = nullAt !== NOT_NULLABLE && input.branchOfTwo() === nullAt;
      const scalar = kinds[at]! as Scalar;
      const prefix = prefixes[at]!;
      if (out === null || prefix === null) skip(scalar, isNull, input);
      else write(scalar, isNull, prefix, input, out);
    }
  };
}

function skip(scalar: Scalar, isNull: boolean, input: AvroInput): void {
  if (!isNull) skipScalar(scalar, input);
}

function write(
  scalar: Scalar,
  isNull: boolean,
  prefix: Buffer,
  input: AvroInput,
  out: JsonOutput,
): void {
  out.raw(prefix);
  if (isNull) out.raw(NULL);
  else writeScalar(scalar, input, out);
}
