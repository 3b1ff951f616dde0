// Compares a query's rows with the records of an output in two ways: by hashes, and as whole rows.
import { canonFromText } from '../../src/compare/column-types.js';
import { Comparison, joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { examine, type Examined, type RawRow } from '../../src/compare/examine-suspects.js';
import { HashedRows } from '../../src/compare/hashed-rows.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { placeOf } from '../../src/compare/output-note.js';
import {
  ResultComparison,
  SUSPECT_LIMITS,
  type SuspectLimits,
} from '../../src/compare/result-comparison.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { NO_COUNTS } from '../../src/domain/evidence/counts.js';
import type { Difference } from '../../src/domain/evidence/window.js';
import { binaryRow, type Value } from './rows.js';

export interface OutputRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

export interface Compared extends Examined {
  readonly unreadable: number;
  readonly duplicates: number;
}

/** Returns the text that Postgres prints for a value of `binaryRow`. */
export function postgresText(type: string, value: Value): string | null {
  if (value === null) return null;
  if (type === 'bool') return value === true ? 't' : 'f';
  return type === 'bytea' ? `\\x${String(value)}` : String(value);
}

/** Compares whole rows: every expected row is one text, and the output is a map of such texts. */
export function compareWhole(
  shape: Shape,
  rows: readonly (readonly Value[])[],
  records: readonly OutputRecord[],
): Compared {
  const fold = new OutputFold(shape);
  records.forEach(({ partition, key, value }, offset) => {
    fold.readFrom(partition, 0);
    fold.add(bytes(key), bytes(value), offset);
  });
  const expected = new Map<string, string | null>();
  for (const row of rows) {
    const canon = shape.columns.map(({ type }, at) => canonOr(type, row[at]!));
    const keyAt = shape.key.map((name) => shape.columns.findIndex((c) => c.name === name));
    const key = keyAt.map((at) => canon[at] as string | null);
    const isRow = !canon.includes(undefined);
    if (!isRow && key.some((value) => value === undefined || value === null))
      throw new Error(`a key value of (${shape.key.join(', ')}) cannot be encoded`);
    expected.set(joinRow(key), isRow ? joinRow(canon as string[]) : null);
  }
  const comparison = new Comparison(shape, fold.rows, 1);
  for (const [key, row] of expected) comparison.add(key, row);
  const { counts, differences } = comparison.finish();
  const duplicates = rows.length - expected.size;
  return { counts, differences: sorted(differences), unreadable: fold.unreadable, duplicates };
}

function canonOr(type: string, value: Value): string | null | undefined {
  try {
    return canonFromText(type, postgresText(type, value));
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    return undefined;
  }
}

/** Compares by hashes, and examines the suspects with the raw rows of both sides. */
export function compareHashed(
  shape: Shape,
  rows: readonly (readonly Value[])[],
  records: readonly OutputRecord[],
  limits: SuspectLimits = SUSPECT_LIMITS,
): Compared {
  const fold = new OutputHashes(shape);
  records.forEach(({ partition, key, value }, offset) => {
    fold.readFrom(partition, 0);
    fold.add(bytes(key), bytes(value), offset);
  });
  const comparison = new ResultComparison(fold.table, limits);
  const hashed = new HashedRows(shape, comparison.judge.bind(comparison));
  const types = shape.columns.map(({ type }) => type);
  for (const row of rows) hashed.add(binaryRow(types, row), 0);
  hashed.flush();
  const { found, suspects } = comparison.finish();
  const { unreadable } = fold;
  const { duplicates } = found;
  if (duplicates > 0) return { counts: NO_COUNTS, differences: [], unreadable, duplicates };
  const raw = new Map<string, RawRow>();
  for (const suspect of suspects) {
    if (suspect.note === null) continue;
    const record = records[placeOf(...suspect.note).offset]!;
    raw.set(suspect.key, fold.reread(bytes(record.key)!, bytes(record.value), suspect)!);
  }
  const { counts, differences } = examine(shape, found, suspects, raw);
  return { counts, differences: sorted(differences), unreadable, duplicates };
}

const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));

const sorted = (differences: readonly Difference[]): Difference[] =>
  differences.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
