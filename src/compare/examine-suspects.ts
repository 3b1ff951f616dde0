// Compares the raw rows of suspects value by value, and corrects the counts that the hashes gave. A
// suspect is a key whose hashes do not prove its rows equal.
import { comparedOf, type Counts } from '../domain/evidence/counts.js';
import type { Difference } from '../domain/evidence/window.js';
import { Problem } from '../domain/failure.js';
import { canonRow } from './binary-text.js';
import { Comparison, hasTolerance, joinRow, type Shape, type StreamRow } from './row-comparison.js';
import { TID_FIELD_BYTES } from './enc/row-place.js';
import { rowOf, type CanonValues } from './fold.js';
import type { Canon } from './column-types.js';
import { wasProven, type Found, type Suspect } from './result-comparison.js';

/** A row of the stream whose hash made its key a suspect. */
export interface RawRow extends CanonValues {
  readonly key: readonly Canon[];
}

/** The raw rows of the stream, by the suspect's key. */
export type RawRows = ReadonlyMap<string, RawRow>;

export interface Examined {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
}

/**
 * Thrown if a result has too many suspects, so that tolerances cannot be applied to all of them.
 */
export class TooManySuspects extends Error {}

/**
 * Compares the suspects whose raw rows are known. (A key that the stream lacks needs no raw row.)
 * If raw rows are missing, the counts come from the hashes. Only rows that turned out to be equal
 * count as matched instead. The differences are then only a sample. Throws TooManySuspects if raw
 * rows of keys on both sides are missing and a column has a tolerance. Throws Problem `unexpected`
 * if the comparison does not count each suspect that it was given. `equal` receives the keys of the
 * suspects whose rows are equal.
 */
export function examine(
  shape: Shape,
  found: Found,
  suspects: readonly Suspect[],
  raw: RawRows,
  equal: (key: string) => void = () => undefined,
): Examined {
  const known = suspects.filter(({ key, note }) => note === null || raw.has(key));
  const onBoth = known.filter(({ row, note }) => row !== null && note !== null);
  if (hasTolerance(shape) && onBoth.length < found.mismatched + found.unknown)
    throw new TooManySuspects();
  const { counts, differences } = compareRaw(shape, known, raw, equal);
  const explained = comparedOf(counts);
  if (explained !== known.length)
    throw new Problem(
      'unexpected',
      `${known.length} keys were compared again value by value, but only ${explained} of them got a result`,
      'the next window reads both sides again; if the error repeats, report it with the output of sluice windows',
    );
  const { missing, extraneous, mismatched, unknown } = found;
  const matched = found.matched + counts.matched;
  const isWhole = known.length === missing + extraneous + mismatched + unknown;
  if (isWhole) return { counts: { ...counts, matched }, differences };
  const differing = mismatched - counts.matched; // some suspects were found to be equal
  const byHash = { matched, missing, extraneous, mismatched: differing, unknown, unstable: 0 };
  return { counts: byHash, differences };
}

function compareRaw(
  shape: Shape,
  suspects: readonly Suspect[],
  raw: RawRows,
  equal: (key: string) => void,
): Examined {
  const stream = new Map<string, StreamRow>();
  for (const suspect of suspects) {
    const found = raw.get(suspect.key);
    if (suspect.note !== null && found)
      stream.set(joinRow(found.key), { ...rowOf(found), proven: wasProven(suspect) });
  }
  const comparison = new Comparison(shape, stream, 1);
  for (const { key: identity, row } of suspects) {
    if (row === null) continue;
    const { key, values } = canonRow(shape, row, TID_FIELD_BYTES);
    const before = comparison.counts.matched;
    if (key) comparison.add(joinRow(key), values && joinRow(values));
    if (comparison.counts.matched > before) equal(identity);
  }
  return comparison.finish();
}
