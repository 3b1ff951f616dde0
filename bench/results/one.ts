// Compares the query's result with the output in one of the ways that index.ts lists. The way
// `limit` only reads both sides, and compares nothing. This program runs in a separate process. It
// prints one line of JSON: elapsed time, processor time, memory and the counts of the comparison.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import type { ComparedQuery } from '../../src/activities/windows/results/compared-queries.js';
import { sidesByHash } from '../../src/activities/windows/results/exact/result-by-hash.js';
import { sidesByRow } from '../../src/activities/windows/results/exact/result-by-row.js';
import type { ExactSide } from '../../src/activities/windows/results/exact/exact-outcome.js';
import type { StillPoint } from '../../src/activities/windows/results/exact/still-point.js';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import { copyRows } from '../../src/clients/postgres/copy-stream.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { int32At } from '../../src/domain/values/bytes.js';
import { openKafka } from '../validation/contestants.js';
import { QUERY, TOPIC, openReader, shapeOf } from './data.js';

/** The number of columns of the query. */
const FIELDS = 8;
const AMPLE = 2 ** 30;
const SMALL = 8 << 20;

const reader = await openReader();
const kafka = openKafka();
const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-results-'));

async function limit(): Promise<null> {
  await copyRows(reader, QUERY, { rowsPerSecond: 0 }, (bytes, at) => {
    let next = at;
    for (let field = 0; field < FIELDS; field += 1) next += 4 + Math.max(0, int32At(bytes, next));
    return next;
  });
  for (const { partition, low, committed } of await kafka.offsets(TOPIC))
    await kafka.readRange(TOPIC, partition, low, committed, () => undefined);
  return null;
}

async function compared(how: typeof sidesByHash, budget: number): Promise<ExactSide> {
  const shape = await shapeOf(reader);
  const ref = { runKey: 'bench', generation: 1 } as MigrationRef;
  const folds = new FoldCache(new FoldFiles(dir), budget);
  const session = { kafka, folds, ref, reader, heartbeat: () => undefined };
  const fold = new OutputFold(shape);
  const comparedQuery = { subject: 'result', shape, topic: TOPIC, sink: null, fold, taken: null };
  const point = {
    outputs: new Map([[TOPIC, await kafka.offsets(TOPIC)]]),
    sink: null,
    mark: { lsn: '0/0' },
  };
  const sides = await how(
    session as unknown as ConnectedSession,
    comparedQuery as unknown as ComparedQuery,
    QUERY,
    point as unknown as StillPoint,
  );
  if (!sides.ok) throw new Error(sides.reason);
  return sides.value[0]!;
}

const WAYS: Readonly<Record<string, () => Promise<ExactSide | null>>> = {
  limit,
  hashes: () => compared(sidesByHash, AMPLE),
  parts: () => compared(sidesByHash, SMALL),
  rows: () => compared(sidesByRow, AMPLE),
};

try {
  const before = process.cpuUsage();
  const started = performance.now();
  const side = await WAYS[process.argv[2]!]!();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const { counts, note } = side ?? {};
  console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, rssMb, counts, note }));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
