// Reads the rows of suspects again on the stream's side. A suspect is a key whose hashes do not
// prove its rows equal. In the topic, rows are found by partition and offset. In the sink's
// table, rows are found by their keys and hashes.
import type { SourceClient } from '../../../../clients/postgres/connection.js';
import type { RawRow, RawRows } from '../../../../compare/examine-suspects.js';
import { keyText } from '../../../../compare/enc/key-table.js';
import type { OutputHashes } from '../../../../compare/output-hashes.js';
import { placeOf } from '../../../../compare/output-note.js';
import { limitsFor, type Suspect } from '../../../../compare/result-comparison.js';
import type { Shape } from '../../../../compare/row-comparison.js';
import { Problem } from '../../../../domain/failure.js';
import { decodingOfRows, readPipelineRecords } from '../../../capture/captured-records.js';
import type { OutputReading } from '../../folds/fold-output.js';
import { copySink } from '../copied-rows.js';

/**
 * Keeps the rows that fit in the memory that suspects may use. Keeps the first row even if it does
 * not fit.
 */
class KeptRows {
  readonly rows = new Map<string, RawRow>();
  found = 0;
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(key: string, row: RawRow, size: number): void {
    this.found += 1;
    if (this.rows.size > 0 && this.#size + size > this.#limit) return;
    this.#size += size;
    this.rows.set(key, row);
  }
}

/**
 * Reads the records of the suspects again. The result omits rows that do not fit in memory. Throws
 * Problem `unexpected` if a record is gone or was replaced.
 */
export async function readSuspects(
  { kafka, topic, format, heartbeat }: OutputReading,
  fold: OutputHashes,
  suspects: readonly Suspect[],
): Promise<RawRows> {
  const kept = new KeptRows(limitsFor(fold.shape).bytes);
  const wanted = byPartition(suspects);
  const decoding = decodingOfRows(kafka, format);
  for (const [partition, places] of wanted) {
    const offsets = [...places.keys()];
    const from = offsets.reduce((least, offset) => Math.min(least, offset), Infinity);
    const to = offsets.reduce((most, offset) => Math.max(most, offset), 0) + 1;
    await readPipelineRecords(
      kafka,
      { topic, partition, from, to },
      decoding,
      ({ offset, key, value }) => {
        const suspect = places.get(offset);
        if (!suspect || key === null) return;
        const row = fold.reread(key, value, suspect);
        if (!row) throw changed(`the record ${topic} ${partition}/${offset}`);
        kept.add(suspect.key, row, key.length + (value?.length ?? 0));
      },
      heartbeat,
    );
  }
  const expected = [...wanted.values()].reduce((sum, places) => sum + places.size, 0);
  if (kept.found !== expected)
    throw changed(`${expected - kept.found} of ${expected} records of ${topic}`);
  return kept.rows;
}

function byPartition(suspects: readonly Suspect[]): Map<number, Map<number, Suspect>> {
  const wanted = new Map<number, Map<number, Suspect>>();
  for (const suspect of suspects) {
    if (suspect.note === null) continue;
    const { partition, offset } = placeOf(...suspect.note);
    const places = wanted.get(partition) ?? new Map<number, Suspect>();
    wanted.set(partition, places.set(offset, suspect));
  }
  return wanted;
}

/** Reads the suspects' rows of the sink again, in the snapshot of the first reading. */
export async function readSinkSuspects(
  client: SourceClient,
  from: string,
  shape: Shape,
  suspects: readonly Suspect[],
  heartbeat: () => void,
): Promise<RawRows> {
  const kept = new KeptRows(limitsFor(shape).bytes);
  const wanted = new Map(
    suspects.filter(({ note }) => note !== null).map((suspect) => [suspect.key, suspect]),
  );
  if (wanted.size === 0) return kept.rows;
  const left = new Set(wanted.keys());
  await copySink(client, from, shape, heartbeat, (key, high, low, canon) => {
    const name = keyText(key);
    const hash = wanted.get(name)?.hash;
    if (hash?.[0] !== high || hash[1] !== low || !left.delete(name)) return;
    const row = canon();
    const size = (row.values ?? []).reduce((sum, value) => sum + (value?.length ?? 0), 0);
    kept.add(name, { key: row.key ?? [], values: row.values }, size);
  });
  if (left.size > 0) throw changed(`${left.size} of ${wanted.size} rows of ${from}`);
  return kept.rows;
}

const changed = (what: string): Problem =>
  new Problem(
    'unexpected',
    `${what} changed between two readings of one window`,
    'the next window reads both sides again; if this error repeats, report it with the output of sluice windows',
  );
