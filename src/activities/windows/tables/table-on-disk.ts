// Compares a table whose keys do not fit in the worker's memory. Both sides are divided by key into
// parts on disk, and compared part by part. Such a table always gets a full pass, and nothing is
// kept for the next window.
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import {
  HashComparison,
  MAX_CANDIDATES,
  runHashCanary,
  type Candidate,
} from '../../../compare/hash-comparison.js';
import { addDigests } from '../../../compare/enc/digests.js';
import { KeyTable } from '../../../compare/enc/key-table.js';
import { RowBatch } from '../../../compare/kernel/row-batch.js';
import { HashFold, type KeyedRows } from '../../../compare/hash-fold.js';
import { CANARY_ROWS, judged, type PassInput, type TablePass } from './table-by-hash.js';
import { foldTable } from '../folds/fold-table.js';
import { SpillSide, removeSpill } from '../folds/spill.js';
import { selectOf } from './select-statement.js';

const DELETED = 1;

/**
 * Compares the table in parts. `dir` is an empty folder, which is removed at the end. `parts` is a
 * power of two. Throws if Postgres, Kafka or the disk fails.
 */
export async function passBySpill(
  input: PassInput,
  parts: number,
  dir: string,
): Promise<TablePass> {
  const stream = new SpillSide(dir, 'stream', parts);
  const rows = new SpillSide(dir, 'rows', parts);
  try {
    const started = Date.now();
    const { ends, snapshot } = input;
    const empty = new HashFold(input.shape, 0, writesTo(stream));
    const fold = await foldTable(input, empty, ends, snapshot);
    const foldMs = Date.now() - started;
    const sample = await spillRows(input, fold, rows);
    const found = comparePartwise(fold, stream, rows, parts, input.heartbeat);
    const canary = runHashCanary(input.shape, sample);
    const pass = await judged(input, fold, found, canary);
    const size = `${((stream.bytes + rows.bytes) / 2 ** 20).toFixed(0)} MiB on disk`;
    return { ...pass, foldMs, digest: found.digest, note: `in ${parts} parts, ${size}` };
  } finally {
    stream.close();
    rows.close();
    removeSpill(dir);
  }
}

const writesTo = (side: SpillSide): KeyedRows => ({
  set: (key, high, low) => side.add(key, high, low, 0, 0),
  delete: (key) => side.add(key, 0, 0, DELETED, 0),
});

/** Writes the table's rows to disk as hashes. Returns some of the rows for the canary. */
async function spillRows(
  { reader, shape, from, rowsPerSecond }: PassInput,
  { encoder }: HashFold,
  rows: SpillSide,
): Promise<Uint8Array[]> {
  const sample: Uint8Array[] = [];
  const batch = new RowBatch(encoder, rows.add.bind(rows));
  await copyRows(reader, selectOf(shape, from), { rowsPerSecond }, (bytes, at) => {
    const end = batch.add(bytes, at);
    if (sample.length < CANARY_ROWS) sample.push(Uint8Array.from(bytes.subarray(at, end)));
    return end;
  });
  batch.flush();
  return sample;
}

/** Compares one part after the other, and adds up the findings. */
function comparePartwise(
  { encoder }: HashFold,
  stream: SpillSide,
  rows: SpillSide,
  parts: number,
  heartbeat: () => void,
) {
  const total = {
    rowsRead: 0,
    matched: 0,
    duplicates: 0,
    extraneous: 0,
    missing: 0,
    mismatched: 0,
    unknown: 0,
  };
  const candidates: Candidate[] = [];
  const keys: string[] = [];
  let digest = '';
  for (let part = 0; part < parts; part += 1) {
    heartbeat();
    const table = new KeyTable(encoder.keyWords);
    stream.visit(
      part,
      ({ key, high, low, extra0 }) =>
        void (extra0 === DELETED ? table.delete(key) : table.set(key, high, low)),
    );
    const comparison = new HashComparison(table, encoder);
    rows.visit(part, ({ key, high, low, extra0, extra1 }) =>
      comparison.judge(key, high, low, extra0, extra1),
    );
    const { extraneous, keys: unmatched } = comparison.finish();
    total.rowsRead += comparison.rowsRead;
    total.matched += comparison.matched;
    total.duplicates += comparison.duplicates;
    total.extraneous += extraneous;
    for (const what of ['missing', 'mismatched', 'unknown'] as const)
      total[what] += comparison.suspects[what];
    candidates.push(...comparison.candidates.slice(0, MAX_CANDIDATES - candidates.length));
    keys.push(...unmatched.slice(0, MAX_CANDIDATES - keys.length));
    digest = digest === '' ? table.digest() : addDigests(digest, table.digest());
  }
  return { ...total, candidates, keys, digest };
}
