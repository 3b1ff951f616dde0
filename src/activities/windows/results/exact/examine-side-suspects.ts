// Turns the result of a comparison by hashes into counts and differences. A suspect is a key whose
// hashes do not prove its rows equal. For suspects, this code compares the raw rows.
import type { CanaryResult } from '../../../../compare/canary.js';
import { examine, type RawRows } from '../../../../compare/examine-suspects.js';
import type { Found, Suspect } from '../../../../compare/result-comparison.js';
import type { ComparedQuery, SideCounted } from '../compared-queries.js';
import { queryReturned, refuseRepeatedKeys, sinkHas } from '../read-sides.js';
import type { ExactSide } from './exact-outcome.js';

/**
 * One side of a comparison: its counts, its refused records, and a way to read its suspects again.
 */
export interface HashedSide {
  readonly readAgain: (suspects: readonly Suspect[]) => Promise<RawRows>;
  /** The counts of a sink. Null for a topic, for which the counts of the query are used. */
  readonly counted: SideCounted | null;
  readonly refused: () => Promise<ExactSide['refused']>;
}

export interface FoundSide {
  readonly found: Found;
  readonly suspects: readonly Suspect[];
  /** Receives the key of each suspect whose rows turn out to be equal. */
  readonly prove: (key: string) => void;
}

/**
 * The counts of the query's rows. Also says whether the comparison found the canaries, which are
 * corrupted rows.
 */
export interface QuerySide {
  readonly counted: SideCounted;
  readonly canary: CanaryResult;
}

/**
 * Examines the suspects of one side. Throws Problem `unsupported` if the key is not unique. Also
 * throws the errors of `examine` and of the readers.
 */
export async function examinedSide(
  { subject, shape, sink }: Pick<ComparedQuery, 'subject' | 'shape' | 'sink'>,
  { counted: ofQuery, canary }: QuerySide,
  { readAgain, counted, refused }: HashedSide,
  { found, suspects, prove }: FoundSide,
): Promise<ExactSide> {
  const rows = ofQuery.readRows;
  const keys = rows - found.duplicates;
  refuseRepeatedKeys(queryReturned(subject), shape, rows, keys);
  if (counted && sink) {
    const keysOfSink = keys - found.missing + found.extraneous;
    refuseRepeatedKeys(sinkHas(sink.table), shape, counted.readRows, keysOfSink);
  }
  const examined = examine(shape, found, suspects, await readAgain(suspects), prove);
  return {
    ...examined,
    isSink: counted !== null,
    rows,
    counted: counted ?? ofQuery,
    canary,
    refused: await refused(),
  };
}
