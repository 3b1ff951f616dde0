// Compares a result by row hashes. The query runs once, and its rows are judged as they arrive. For
// rows that the hashes do not prove equal, both raw rows are compared.
import { KeyTable } from '../../../../compare/enc/key-table.js';
import { examine, type RawRows } from '../../../../compare/examined.js';
import { runResultCanary } from '../../../../compare/result-canary.js';
import type { TakeHashed } from '../../../../compare/hashed-rows.js';
import { ResultComparison, type Suspect } from '../../../../compare/result-comparison.js';
import { parseTableName, qualified } from '../../../../domain/migration/names.js';
import type { ConnectedSession } from '../../session.js';
import { CANARY_ROWS } from '../../tables/by-hash.js';
import type { Computation, SideCounted } from '../computation.js';
import { copyHashed, copySink } from '../copied-rows.js';
import { readSinkSuspects, readSuspects } from '../read-again.js';
import { countAgain, countRows, fromQuery, readHashes, refuseRepeatedKeys } from '../rounds.js';
import { ok, type OrReason } from '../../../../domain/values/or-reason.js';
import type { ExactSide } from './judge.js';
import { unlessCanceled } from './unless-canceled.js';
import type { StillPoint } from './still-point.js';

/** One side whose hashes were read, before the query runs. */
interface ReadSide {
  readonly table: KeyTable;
  readonly readAgain: (suspects: readonly Suspect[]) => Promise<RawRows>;
  /** The counts of a sink. Null for a topic, which is compared with the counts of the query. */
  readonly counted: SideCounted | null;
  readonly fold: ExactSide['fold'];
}

/** Compares the topic of a computation, and its sink, with the rows of `sql`. */
export async function sidesByHash(
  session: ConnectedSession,
  computation: Computation,
  sql: string,
  point: StillPoint,
): Promise<OrReason<ExactSide[]>> {
  const sides = [await topicSide(session, computation, point)];
  const sink = await sinkSide(session, computation, point);
  if (sink) sides.push(sink);
  const { subject, shape } = computation;
  const compared = sides.map(({ table }) => new ResultComparison(table));
  const sample: Uint8Array[] = [];
  const from = fromQuery(sql);
  const started = Date.now();
  const take: TakeHashed = (key, high, low, row) => {
    for (const comparison of compared) comparison.judge(key, high, low, row);
    if (sample.length < CANARY_ROWS && (high !== 0 || low !== 0))
      sample.push(Uint8Array.from(row()));
  };
  const ran = await unlessCanceled(async () => {
    const read = await copyHashed(session.reader, from, shape, session.heartbeat, take);
    return { readRows: read, countedRows: await countAgain(session.reader, from, started) };
  });
  if (!ran.ok) return ran;
  const read = ran.value.readRows;
  const canary = runResultCanary(shape, sample);
  const examined: ExactSide[] = [];
  for (const [at, { readAgain, counted, fold }] of sides.entries()) {
    const { found, suspects } = compared[at]!.finish();
    refuseRepeatedKeys(subject, shape, read, read - found.duplicates);
    const known = examine(shape, found, suspects, await readAgain(suspects));
    const isSink = counted !== null;
    examined.push({ ...known, isSink, rows: read, counted: counted ?? ran.value, canary, fold });
  }
  return ok(examined);
}

async function topicSide(
  session: ConnectedSession,
  computation: Computation,
  point: StillPoint,
): Promise<ReadSide> {
  const { kafka, folds, ref, heartbeat } = session;
  const { topic, shape } = computation;
  const fold = folds.outputHashes(ref, topic, shape);
  await readHashes(session, computation, fold, point.outputs.get(topic));
  const readAgain = (suspects: readonly Suspect[]): Promise<RawRows> =>
    readSuspects({ kafka, topic, heartbeat }, fold, suspects);
  return { table: fold.table, readAgain, counted: null, fold };
}

async function sinkSide(
  { heartbeat }: ConnectedSession,
  { sink, shape }: Computation,
  { sink: client }: StillPoint,
): Promise<ReadSide | null> {
  if (!sink || !client) return null;
  const from = qualified(parseTableName(sink.table));
  const table = new KeyTable(4);
  const readRows = await copySink(client, from, shape, heartbeat, (key, high, low) =>
    table.set(key, high, low),
  );
  return {
    table,
    readAgain: (suspects) => readSinkSuspects(client, from, shape, suspects, heartbeat),
    counted: { countedRows: await countRows(client, from), readRows },
    fold: null,
  };
}
