// Compares the raw rows of suspects value by value, and turns hash findings into counts and classes.
import type { Counts, Difference } from '../domain/evidence/window.js';
import { comparedOf } from '../domain/evidence/window.js';
import { Problem } from '../domain/failure.js';
import { canonRow } from './binary-text.js';
import { Comparison, joinRow, type Shape, type StreamRow } from './comparison.js';
import { TID_FIELD_BYTES } from './enc/row-place.js';
import { rowOf, type CanonValues } from './fold.js';
import type { Canon } from './column-types.js';
import { wasProven, type Found, type Suspect } from './result-comparison.js';

/** The row of the stream that a suspect's hash belongs to. */
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
 * Compares the suspects whose rows are known on both sides. If these are not all, the counts are
 * those of the hashes, and the differences are a sample. Throws Problem `unexpected` if a suspect
 * is left without an explanation.
 */
export function examine(
  shape: Shape,
  found: Found,
  suspects: readonly Suspect[],
  raw: RawRows,
): Examined {
  const { matched, missing, extraneous, mismatched, unknown } = found;
  const byHash: Counts = { matched, missing, extraneous, mismatched, unknown, unstable: 0 };
  const known = suspects.filter(({ key, note }) => note === null || raw.has(key));
  const examined = compareRaw(shape, known, raw);
  const explained = comparedOf(examined.counts);
  if (explained !== known.length)
    throw new Problem(
      'unexpected',
      `reading again explained ${explained} of ${known.length} suspect keys`,
      'the next window reads both sides again; if it repeats, report it with the output of sluice windows',
    );
  const { counts, differences } = examined;
  const isWhole = known.length === missing + extraneous + mismatched + unknown;
  if (!isWhole) return { counts: byHash, differences };
  return { counts: { ...counts, matched: matched + counts.matched }, differences };
}

function compareRaw(shape: Shape, suspects: readonly Suspect[], raw: RawRows): Examined {
  const stream = new Map<string, StreamRow>();
  for (const suspect of suspects) {
    const found = raw.get(suspect.key);
    if (suspect.note !== null && found)
      stream.set(joinRow(found.key), { ...rowOf(found), proven: wasProven(suspect) });
  }
  const comparison = new Comparison(shape, stream, 1);
  for (const { row } of suspects) {
    if (row === null) continue;
    const { key, values } = canonRow(shape, row, TID_FIELD_BYTES);
    if (key) comparison.add(joinRow(key), values && joinRow(values));
  }
  return comparison.finish();
}
