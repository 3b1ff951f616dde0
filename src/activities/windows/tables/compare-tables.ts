// Exact mode: a REPEATABLE READ snapshot of the tables against their topics, aligned by snapshot visibility and source.txId. Every key must be equal.
import { openSource, type SourceClient } from '../../../clients/postgres/connection.js';
import { readKeyedTable, storageOf, type TableCatalog } from '../../../clients/postgres/catalog.js';
import type { Shape } from '../../../compare/comparison.js';
import { namesOf, parseTableName, qualified, tableTopic } from '../../../domain/migration/names.js';
import { pollingOf } from '../../../domain/migration/polling.js';
import { parseSnapshot } from '../../../domain/values/position.js';
import { byColumn } from '../../../domain/evidence/by-column.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import type { Difference } from '../../../domain/evidence/window.js';
import { engineGateway } from '../../../domain/migration/spec.js';
import type { Deps } from '../../runtime/deps.js';
import { markSource } from '../../capture/source-mark.js';
import { passBySpill } from './by-spill.js';
import { passByHash, type PassInput, type TablePass } from './by-hash.js';
import { passByFlink, type FlinkPassInput } from './by-flink.js';
import { passByRow } from './by-row.js';
import { WORTH_IT_ROWS, passIncrementally } from './changed-rows.js';
import { columnsToCompare } from '../shape.js';
import { boundedNow } from './visibility.js';
import { walkAhead, type Walk } from './range-scan.js';
import { foldTable, refuseRepartitioned, type FoldCache } from '../folds/folds.js';
import { measured, refuseAllEmpty, unmeasured, type SubjectResult } from '../subject.js';

interface HowFar {
  readonly number: number;
  readonly isFull: boolean;
  readonly walk?: Walk | undefined;
}

const BARRIER_LIMIT_MS = 60_000; // longer would hold back vacuum on the source for a window that is stale anyway

export interface TablesResult {
  readonly subjects: SubjectResult[];
  readonly barrierMs: number | null;
}

/** `isFull`: every row is read, whatever earlier windows proved. */
export async function compareTables(
  deps: Deps,
  folds: FoldCache,
  ref: MigrationRef,
  { number, isFull }: { number: number; isFull: boolean },
  heartbeat: () => void,
): Promise<TablesResult> {
  if (pollingOf(ref.spec)) return { subjects: [], barrierMs: null }; // no transaction to align by: settled, with the results
  const reader = await openSource(ref.spec, deps.secret, { readOnly: true });
  const side = await openSource(ref.spec, deps.secret).catch(async (error: unknown) => {
    await reader.end().catch(() => undefined);
    throw error;
  });
  try {
    const walks = new Map<string, Walk>();
    for (const table of ref.spec.spec.source.tables) {
      const walk = await walkOver({ deps, folds, ref, reader, side, isFull, heartbeat }, table);
      if (walk) walks.set(table, walk);
    }
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const text = (
      await reader.query<Record<string, string>>('SELECT pg_current_snapshot() AS snapshot')
    ).rows[0]!['snapshot']!;
    const started = Date.now();
    const mark = await markSource(deps, ref, { snapshot: reader, side, token: `window ${number}` });
    const { lsn } = mark;
    const unproven = await mark.reached(started + BARRIER_LIMIT_MS);
    const barrierMs = unproven ? null : Date.now() - started;
    const subjects: SubjectResult[] = [];
    for (const table of ref.spec.spec.source.tables) {
      subjects.push(
        unproven
          ? unmeasured(table, 'exact', { verdict: 'inconclusive', reason: unproven }, lsn)
          : await compareTable(
              deps,
              folds,
              ref,
              table,
              { reader, side, snapshotText: text, lsn, number, isFull, walk: walks.get(table) },
              heartbeat,
            ),
      );
    }
    return { subjects: refuseAllEmpty(subjects), barrierMs };
  } finally {
    await Promise.all([reader.end().catch(() => undefined), side.end().catch(() => undefined)]);
  }
}

interface WalkContext {
  readonly deps: Deps;
  readonly folds: FoldCache;
  readonly ref: MigrationRef;
  readonly reader: SourceClient;
  readonly side: SourceClient;
  readonly isFull: boolean;
  readonly heartbeat: () => void;
}

/** Ahead of the window's own snapshot, where all of a long table has to be read. */
async function walkOver(
  { folds, isFull, ...rest }: WalkContext,
  table: string,
): Promise<Walk | null> {
  const { ref, reader } = rest;
  if (engineGateway(ref.spec.spec)) return null;
  const { catalog, shape, topic } = await comparedTable(reader, ref, table);
  if (shape.columns.some((column) => column.toleranceAbs !== undefined)) return null;
  return walkAhead({ ...rest, catalog, shape, topic, deadlineMs: BARRIER_LIMIT_MS }, async () => {
    if (folds.partsNeeded(ref, topic, shape, catalog.rowsEstimate) > 1) return null;
    const fold = await folds.hashes(ref, topic, shape, catalog.rowsEstimate);
    return fold.provenAt !== null && !isFull ? null : fold;
  });
}

async function comparedTable(
  reader: SourceClient,
  ref: MigrationRef,
  table: string,
): Promise<{ catalog: TableCatalog; shape: Shape; topic: string }> {
  const catalog = await readKeyedTable(reader, table);
  const shape = {
    key: catalog.key,
    columns: columnsToCompare(ref.spec, catalog.columns, catalog.key, table),
  };
  return {
    catalog,
    shape,
    topic: tableTopic(namesOf(ref.spec, ref.generation).topicPrefix, catalog.name),
  };
}

async function compareTable(
  deps: Deps,
  folds: FoldCache,
  ref: MigrationRef,
  table: string,
  {
    reader,
    side,
    snapshotText,
    lsn,
    ...how
  }: { reader: SourceClient; side: SourceClient; snapshotText: string; lsn: string } & HowFar,
  heartbeat: () => void,
): Promise<SubjectResult> {
  const started = Date.now();
  const { catalog, shape, topic } = await comparedTable(reader, ref, table);
  const from = qualified(parseTableName(table));
  const counted = Number(
    (await reader.query<Record<string, string>>(`SELECT count(*) AS n FROM ${from}`)).rows[0]!['n'],
  );
  const kafka = deps.systems.kafka(ref.spec);
  const ends = await kafka.offsets(topic);
  refuseRepartitioned(ref, topic, ends);
  const snapshot = await boundedNow(side, parseSnapshot(snapshotText));
  const isPartitioned = catalog.kind === 'p';
  const input = {
    kafka,
    topic,
    ends,
    shape,
    snapshot,
    reader,
    from,
    isPartitioned,
    rowsPerSecond: ref.spec.spec.source.limits.rowsPerSecond,
    heartbeat,
  };
  const gateway = engineGateway(ref.spec.spec);
  const pass = gateway
    ? await passByFlink(flinkInput(ref, input, catalog, gateway))
    : await passOver(folds, ref, input, { ...how, counted });
  const result = measured({
    subject: table,
    mode: 'exact',
    counts: pass.counts,
    proofs: {
      barrier: null,
      countedRows: counted,
      readRows: pass.rowsRead,
      provenEarlier: pass.provenEarlier,
      walkedRows: pass.walkedRows,
      isStopped: pass.isStopped,
      canaryPlanted: pass.canary.planted,
      canaryFound: pass.canary.found,
    },
    differences: pass.differences,
    position: lsn,
    durationMs: Date.now() - started,
    proof: {
      snapshot: snapshotText,
      topic,
      read: Object.fromEntries(ends.map(({ partition, committed }) => [partition, committed])),
      rows: counted,
      digest: pass.digest ?? null,
    },
  });
  const { verdict, reason } = result.verdict;
  const note = pass.isStopped
    ? systematic(pass.differences)
    : verdict === 'passed'
      ? pass.note
      : undefined;
  return {
    ...result,
    verdict: note ? { verdict, reason: `${reason}: ${note}` } : result.verdict,
    foldMs: pass.foldMs ?? 0,
  };
}

/** In which column most of the rows that were looked at differ, and by what rule. */
function systematic(differences: readonly Difference[]): string | undefined {
  const [first] = byColumn(differences);
  return (
    first &&
    `${first.rows} of the first differ in ${first.column}${first.always ? ` (${first.always})` : ''}`
  );
}

function flinkInput(
  ref: MigrationRef,
  input: PassInput,
  { name, columns, key }: TableCatalog,
  gateway: string,
): FlinkPassInput {
  const { source, kafka } = ref.spec.spec;
  const { topicPrefix, windowTopic } = namesOf(ref.spec, ref.generation);
  const table = {
    database: source.postgres.database,
    schema: name.schema,
    table: name.table,
    columns,
    key,
    server: topicPrefix,
  };
  return { ...input, gateway, cluster: kafka, windowTopic, table };
}

/** By rows where a tolerance asks for values, else by hashes; and only what changed, where that is proof enough. */
async function passOver(
  folds: FoldCache,
  ref: MigrationRef,
  input: PassInput,
  { number, isFull, walk, counted }: HowFar & { counted: number },
): Promise<TablePass> {
  const { kafka, topic, ends, shape, snapshot, heartbeat } = input;
  if (shape.columns.some((column) => column.toleranceAbs !== undefined)) {
    return passByRow(
      input,
      await foldTable(kafka, topic, folds.table(ref, topic, shape), ends, snapshot, heartbeat),
      folds.nextMark(),
    );
  }
  const parts = folds.partsNeeded(ref, topic, shape, counted);
  if (parts > 1) return passBySpill(input, parts, await folds.spillDir(ref, topic));
  const started = Date.now();
  const fold = await foldTable(
    kafka,
    topic,
    await folds.hashes(ref, topic, shape, counted),
    ends,
    snapshot,
    heartbeat,
  );
  const foldMs = Date.now() - started;
  // What was counted holds the table until the end of this snapshot: nothing can be rewritten from here on.
  const isWalked =
    walk !== undefined &&
    fold.provenAt !== null &&
    walk.storage === (await storageOf(input.reader, input.from));
  const mayBePartial = isWalked || (!isFull && counted >= WORTH_IT_ROWS);
  const partial = mayBePartial ? await passIncrementally(input, fold, counted, number) : null;
  const pass = partial ?? (await passByHash(input, fold));
  fold.proven(
    pass.counts.matched === counted && counted === fold.table.size && fold.unreadable === 0
      ? snapshot
      : null,
  );
  if ((!partial || isWalked) && fold.provenAt && counted >= WORTH_IT_ROWS)
    await folds.save(ref, topic, fold);
  const note =
    partial && isWalked ? `read in ${walk.snapshots} snapshots; then ${partial.note}` : pass.note;
  return {
    ...pass,
    ...(note ? { note } : {}),
    ...(partial && isWalked ? { walkedRows: walk.rowsRead } : {}),
    digest: fold.table.digest(),
    foldMs,
  };
}
