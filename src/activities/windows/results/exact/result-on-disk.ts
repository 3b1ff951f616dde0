// Compares a result whose keys do not fit in the worker's memory. Both sides are divided by key
// into parts on disk, and compared part by part. Nothing is kept for the next window.
import { KeyTable } from '../../../../compare/enc/key-table.js';
import { OutputHashes, applyRecord } from '../../../../compare/output-hashes.js';
import { placeOf } from '../../../../compare/output-note.js';
import {
  NOTHING_FOUND,
  ResultComparison,
  limitsFor,
  type Found,
  type Suspect,
  type SuspectLimits,
} from '../../../../compare/result-comparison.js';
import { KeyTableMemory } from '../../../../compare/key-table-memory.js';
import { ok, type OrReason } from '../../../../domain/values/or-reason.js';
import { SpillSide, partsFor, removeSpill, type Spilled } from '../../folds/spill.js';
import type { ConnectedSession } from '../../session.js';
import type { ComparedQuery } from '../compared-queries.js';
import { examinedSide, type FoundSide, type HashedSide } from './examine-side-suspects.js';
import type { ExactSide } from './exact-outcome.js';
import { RawRows } from './query-rows-on-disk.js';
import { runQuery } from './run-query.js';
import { readSinkSide, readTopicSide, sinkTableOf } from './read-hashed-side.js';
import type { StillPoint } from './still-point.js';

const LEAST_PARTS = 8;
/**
 * The maximum memory for one key of a key table. The maximum occurs right after the table has
 * grown: many of its hash slots are free, and the smaller table from before still exists.
 */
const BYTES_PER_KEY = 150;
const UNLIMITED = new KeyTableMemory(Infinity);

/** The files of one comparison. */
interface Disk {
  readonly parts: number;
  readonly rows: SpillSide;
  readonly raw: RawRows;
  readonly side: (name: string) => SpillSide;
}

/**
 * One side on disk. `applyTo` returns a function that adds one record of this side to the key table
 * of the current part.
 */
interface SideOnDisk extends HashedSide {
  readonly spilled: SpillSide;
  readonly hasNotes: boolean;
  readonly applyTo: (table: KeyTable) => (record: Spilled) => void;
}

/**
 * Compares like `sidesByHash`, but in parts on disk. Throws if Postgres, Kafka or the disk fails.
 */
export async function sidesByParts(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  const { folds, ref } = session;
  const { topic, shape } = comparedQuery;
  const ends = point.outputs.get(topic) ?? [];
  const records = ends.reduce((sum, { low, committed }) => sum + committed - low, 0);
  const room = folds.roomFor(ref, topic, shape);
  const parts = Math.max(LEAST_PARTS, partsFor(records * BYTES_PER_KEY, room));
  const dir = await folds.spillDir(ref, topic);
  const files: { readonly bytes: number; close: () => void }[] = [];
  const kept = <T extends (typeof files)[number]>(file: T): T => {
    files.push(file);
    return file;
  };
  const side = (name: string): SpillSide => kept(new SpillSide(dir, name, parts));
  try {
    const disk: Disk = { parts, rows: side('rows'), raw: kept(new RawRows(dir)), side };
    const compared = await sidesOnDisk(session, comparedQuery, sql, point, disk);
    if (!compared.ok) return compared;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const note = `in ${parts} parts, ${(bytes / 2 ** 20).toFixed(0)} MiB on disk`;
    return ok(compared.value.map((found) => ({ ...found, note })));
  } finally {
    for (const file of files) file.close();
    removeSpill(dir);
  }
}

async function sidesOnDisk(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  sql: string,
  point: StillPoint,
  disk: Disk,
): Promise<OrReason<ExactSide[]>> {
  const sides = [await topicOnDisk(session, comparedQuery, point, disk)];
  const sink = await sinkOnDisk(session, comparedQuery, point, disk);
  if (sink) sides.push(sink);
  const ran = await runQuery(session, comparedQuery, sql, (key, high, low, row) =>
    disk.rows.add(key, high, low, ...disk.raw.append(row())),
  );
  if (!ran.ok) return ran;
  const examined: ExactSide[] = [];
  for (const side of sides) {
    const found = comparePartwise(side, disk, limitsFor(comparedQuery.shape), session.heartbeat);
    examined.push(await examinedSide(comparedQuery, ran.value, side, found));
  }
  return ok(examined);
}

async function topicOnDisk(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  point: StillPoint,
  disk: Disk,
): Promise<SideOnDisk> {
  const spilled = disk.side('stream');
  const partitions = point.outputs.get(comparedQuery.topic)?.length;
  const fold = new OutputHashes(comparedQuery.shape, { take: spilled.add.bind(spilled) });
  return {
    spilled,
    hasNotes: true,
    applyTo: (table) => {
      const keys = { table, deleted: partitions === 1 ? null : new KeyTable(4, 0) };
      return ({ key, high, low, extra0, extra1, extra2 }) => {
        const why = applyRecord(keys, UNLIMITED, key, high, low, extra0, extra1, extra2);
        if (why !== null) fold.refuse({ ...placeOf(extra0, extra1), why });
      };
    },
    ...(await readTopicSide(session, comparedQuery, point, fold)),
  };
}

async function sinkOnDisk(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  point: StillPoint,
  disk: Disk,
): Promise<SideOnDisk | null> {
  const sink = sinkTableOf(comparedQuery, point);
  if (!sink) return null;
  const spilled = disk.side('sink');
  const side = await readSinkSide(session, comparedQuery, sink, (key, high, low) =>
    spilled.add(key, high, low, 0, 0),
  );
  return {
    spilled,
    hasNotes: false,
    applyTo:
      (table) =>
      ({ key, high, low }) =>
        void table.set(key, high, low),
    ...side,
  };
}

/** Compares one part after the other, and adds up the findings. */
function comparePartwise(
  { spilled, hasNotes, applyTo }: SideOnDisk,
  { parts, rows, raw }: Disk,
  limits: SuspectLimits,
  heartbeat: () => void,
): FoundSide {
  const totals = { ...NOTHING_FOUND };
  const ofQuery: Suspect[] = [];
  const onlyStream: Suspect[] = [];
  let bytes = 0;
  for (let part = 0; part < parts; part += 1) {
    heartbeat();
    const table = new KeyTable(4, 0, hasNotes);
    spilled.visit(part, applyTo(table));
    const left = {
      suspects: limits.suspects - ofQuery.length,
      bytes: limits.bytes - bytes,
      onlyStream: limits.onlyStream - onlyStream.length,
    };
    const comparison = new ResultComparison(table, left);
    rows.visit(part, ({ key, high, low, extra0, extra1 }) =>
      comparison.judge(key, high, low, () => raw.read([extra0, extra1])),
    );
    const { found, suspects } = comparison.finish();
    bytes += comparison.bytes;
    for (const suspect of suspects) (suspect.row === null ? onlyStream : ofQuery).push(suspect);
    for (const name of Object.keys(totals) as (keyof Found)[]) totals[name] += found[name];
  }
  return { found: totals, suspects: [...ofQuery, ...onlyStream], prove: () => undefined };
}
