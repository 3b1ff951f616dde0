// Compares a table that an earlier window proved equal. That window was the full window before the
// fence, or the last window that kept the witness. This pass reads only the keys that changed since
// then. The witness, a temporary replication slot, names the keys that the source changed. The
// fold, which holds what was read from the topic, names the keys that the topic changed. Outside of
// a hold, the pass also reads a small part of the other rows.
//
// This proves as much as a full pass. A key that neither side changed is still equal. The witness
// reads the source's WAL, so it also names keys whose events the topic lost. The pass computes the
// number of rows: the rows of the earlier window, plus the inserts, minus the deletes. Apart from
// the differences that the pass found, the topic must have the same number of keys.
import { blocksOf } from '../../../clients/postgres/catalog.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import { keyOf } from '../../../compare/enc/key-table.js';
import { HashComparison, runHashCanary } from '../../../compare/hash-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { quoteIdent } from '../../../domain/migration/names.js';
import type { WitnessProof } from '../../../domain/evidence/witness.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import { foldTable } from '../folds/fold-table.js';
import { bytesNeeded } from '../folds/spill.js';
import type { ReadingSession } from '../session.js';
import { CANARY_ROWS, judged, type PassInput, type TablePass } from '../tables/table-by-hash.js';
import { integerOf, partOf } from '../tables/changed-rows.js';
import { selectOf } from '../tables/select-statement.js';
import { READ_AS_USUAL, READ_EACH_BLOCK_ONCE, lookUps } from './key-look-ups.js';
import type { Testimony } from './witnesses.js';

/**
 * The number of parts into which a table is divided. Each window that keeps a witness also reads
 * all rows of one part.
 */
const SCRUB_PARTS = 100;

export interface WitnessedPass extends TablePass {
  /** The computed number of rows in the table. */
  readonly counted: number;
  readonly witness: WitnessProof;
}

/**
 * Compares the keys that have changed since the window that proved the rows. Returns the reason as
 * text if only a pass over every row can decide.
 */
export async function passWitnessed(
  session: ReadingSession,
  input: PassInput,
  table: string,
  testimony: Testimony,
): Promise<WitnessedPass | string> {
  const { folds, ref, witness } = session;
  const { topic, shape, ends, snapshot } = input;
  const { before, log } = testimony;
  const rowsBefore = testimony.rows.get(table);
  if (rowsBefore === undefined) return `the full pass did not count ${table}`;
  if (folds.partsNeeded(ref, topic, shape, rowsBefore) > 1) return tooLarge(table, rowsBefore);
  const started = Date.now();
  const fold = await folds.hashes(ref, topic, shape, rowsBefore);
  if (!isSame(fold.provenAt, before)) return `the rows of ${table} are not those of the full pass`;
  await foldTable(input, fold, ends, snapshot);
  const foldMs = Date.now() - started;
  if (!isSame(fold.provenAt, before)) return `the topic of ${table} changed too many keys`;
  const keys = new Set([...log.changedIn(table)].map(wordsOf));
  const [changedAtSource, changedOnTopic] = [keys.size, fold.changed.size];
  for (const key of fold.changed) keys.add(key);
  const { comparison, sample, gone } = await lookUp(input, fold, keys);
  const { missing } = comparison.suspects;
  const extraneous = gone.filter((key) => fold.table.find(keyOf(key)) >= 0);
  const { inserted, deleted } = log.rowChange(table, before, snapshot);
  const counted = rowsBefore + inserted - deleted;
  if (counted !== fold.table.size + missing - extraneous.length) {
    fold.proven(null); // so that the next pass reads every row
    return `${table} has ${rowsBefore} + ${inserted} − ${deleted} rows, but its topic has ${fold.table.size} keys, ${missing} too few and ${extraneous.length} too many`;
  }
  const { rowsRead, matched, duplicates, candidates, suspects } = comparison;
  const found = { rowsRead, matched, duplicates, candidates, ...suspects };
  const pass = await judged(
    input,
    fold,
    { ...found, extraneous: extraneous.length, keys: extraneous },
    runHashCanary(shape, sample),
  );
  const provenEarlier = counted - rowsRead;
  const scrubbed = witness?.role === 'keep' ? await scrub(input, fold, session.number) : null;
  if (typeof scrubbed === 'string') {
    fold.proven(null); // so that the next pass reads every row
    return scrubbed;
  }
  const isEqual = comparison.suspected + extraneous.length + fold.unreadable === 0;
  fold.proven(isEqual ? snapshot : null);
  return {
    ...pass,
    counts: { ...pass.counts, matched: pass.counts.matched + provenEarlier },
    provenEarlier,
    digest: fold.table.digest(),
    foldMs,
    counted,
    witness: {
      passedBefore: testimony.window,
      rowsBefore,
      inserted,
      deleted,
      changedAtSource,
      changedOnTopic,
    },
    note: `read ${rowsRead} rows${scrubbed ? '' : ' under the fence'}, of ${keys.size} keys that changed since window ${testimony.window}${scrubbed ? `, and ${scrubbed.rows} rows of scrub ${scrubbed.part}/${SCRUB_PARTS}` : ''}`,
  };
}

/** Names the memory that the worker needs, because only the operator can change this limit. */
const tooLarge = (table: string, rows: number): string =>
  `the keys of ${table} do not fit in memory, so set SLUICE_WINDOW_MEMORY of the worker to at least ${Math.ceil(bytesNeeded(rows) / 2 ** 20)}MiB for this table alone`;

/**
 * Reads one part of the table, in which no row should differ. If a row differs or repeats a key,
 * returns a reason as text. A pass over every row then decides.
 */
async function scrub(
  { reader, from, shape, rowsPerSecond }: PassInput,
  fold: HashFold,
  number: number,
): Promise<{ part: number; rows: number } | string> {
  const part = number % SCRUB_PARTS;
  const range = partOf(await blocksOf(reader, from), part, SCRUB_PARTS);
  const comparison = new HashComparison(fold.table, fold.encoder);
  await copyRows(
    reader,
    `${selectOf(shape, from)} WHERE ${range}`,
    { rowsPerSecond },
    (bytes, at) => comparison.add(bytes, at),
  );
  const wrong = comparison.suspected + comparison.duplicates;
  if (wrong > 0)
    return `${wrong} rows of scrub ${part + 1}/${SCRUB_PARTS} differ, although an earlier window proved them equal`;
  return { part: part + 1, rows: comparison.rowsRead };
}

/** Compares the rows of these keys. `gone` has the keys that the table lacks. */
async function lookUp(
  { reader, from, shape, rowsPerSecond }: PassInput,
  fold: HashFold,
  keys: ReadonlySet<string>,
): Promise<{ comparison: HashComparison; sample: Uint8Array[]; gone: string[] }> {
  const comparison = new HashComparison(fold.table, fold.encoder);
  const gone = new Set(keys);
  const sample: Uint8Array[] = [];
  const integers = [...keys].map((key) => BigInt(integerOf(key)));
  await reader.query(READ_EACH_BLOCK_ONCE);
  for (const where of lookUps(quoteIdent(shape.key[0]!), integers)) {
    const select = `${selectOf(shape, from)} WHERE ${where}`;
    await copyRows(reader, select, { rowsPerSecond }, (bytes, start) => {
      const end = comparison.add(bytes, start);
      gone.delete(comparison.lastKey);
      if (sample.length < CANARY_ROWS) sample.push(Uint8Array.from(bytes.subarray(start, end)));
      return end;
    });
  }
  await reader.query(READ_AS_USUAL);
  return { comparison, sample, gone: [...gone] };
}

/** Returns the two words of an integer key, in the form in which a fold names a key. */
export function wordsOf(integer: string): string {
  const value = BigInt.asUintN(64, BigInt(integer));
  return `${Number(BigInt.asIntN(32, value >> 32n))},${Number(BigInt.asIntN(32, value))}`;
}

function isSame(one: SnapshotVisibility | null, other: SnapshotVisibility): boolean {
  return (
    one !== null &&
    one.xmin === other.xmin &&
    one.xmax === other.xmax &&
    one.inProgress.size === other.inProgress.size &&
    [...one.inProgress].every((id) => other.inProgress.has(id))
  );
}
