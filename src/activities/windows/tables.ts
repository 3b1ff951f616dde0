// Exact mode: a REPEATABLE READ snapshot of the tables against their topics, aligned by snapshot visibility and source.txId. Every key must be equal.
import { openSource, type SourceClient } from '../../clients/source.js';
import { readTable } from '../../clients/catalog.js';
import { runCanary } from '../../compare/canary.js';
import { Comparison, type Shape } from '../../compare/comparison.js';
import { Problem } from '../../domain/failure.js';
import { namesOf, parseTableName, qualified, tableTopic } from '../../domain/names.js';
import { parseSnapshot, type SnapshotVisibility } from '../../domain/position.js';
import type { MigrationRef } from '../../domain/ledger.js';
import { NO_COUNTS, assessComparison } from '../../domain/window.js';
import { connectorAcknowledged, emitMarker, insertLsn } from '../barrier.js';
import type { Deps } from '../deps.js';
import { columnsToCompare } from './shape.js';
import { foldTable, type FoldCache } from './folds.js';
import { readRows } from './rows.js';
import { measured, unmeasured, type SubjectResult } from './subject.js';

const BARRIER_LIMIT_MS = 60_000; // longer would hold back vacuum on the source for a window that is stale anyway

export interface TablesResult {
  readonly subjects: SubjectResult[];
  readonly barrierMs: number | null;
}

export async function compareTables(deps: Deps, folds: FoldCache, ref: MigrationRef, number: number, heartbeat: () => void): Promise<TablesResult> {
  const reader = await openSource(ref.spec, deps.secret);
  const side = await openSource(ref.spec, deps.secret).catch(async (error: unknown) => {
    await reader.end().catch(() => undefined);
    throw error;
  });
  try {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const text = (await reader.query<Record<string, string>>('SELECT pg_current_snapshot() AS snapshot')).rows[0]!['snapshot']!;
    const snapshot = parseSnapshot(text);
    const lsn = await insertLsn(side); // after the snapshot: everything it sees is committed below
    const started = Date.now();
    await emitMarker(side, ref, `window ${number}`);
    const unproven = await connectorAcknowledged(side, ref, lsn, started + BARRIER_LIMIT_MS);
    const barrierMs = unproven ? null : Date.now() - started;
    const subjects: SubjectResult[] = [];
    for (const table of ref.spec.spec.source.tables) {
      subjects.push(
        unproven
          ? unmeasured(table, 'exact', { verdict: 'inconclusive', reason: unproven }, lsn)
          : await compareTable(deps, folds, ref, table, reader, snapshot, lsn, heartbeat),
      );
    }
    return { subjects, barrierMs };
  } finally {
    await Promise.all([reader.end().catch(() => undefined), side.end().catch(() => undefined)]);
  }
}

async function compareTable(
  deps: Deps,
  folds: FoldCache,
  ref: MigrationRef,
  table: string,
  reader: SourceClient,
  snapshot: SnapshotVisibility,
  lsn: string,
  heartbeat: () => void,
): Promise<SubjectResult> {
  const started = Date.now();
  const catalog = await readTable(reader, table);
  if (!catalog || catalog.key.length === 0) throw new Problem('preflight-failed', `table ${table} or its primary key is gone`);
  const shape: Shape = { key: catalog.key, columns: columnsToCompare(ref.spec, catalog.columns, catalog.key, table) };
  const topic = tableTopic(namesOf(ref.spec, ref.generation).topicPrefix, catalog.name);
  const fold = folds.table(ref, topic, shape);
  await foldTable(deps.systems.kafka(ref.spec), topic, fold, snapshot, heartbeat);
  const from = qualified(parseTableName(table));
  const counted = Number((await reader.query<Record<string, string>>(`SELECT count(*) AS n FROM ${from}`)).rows[0]!['n']);
  const comparison = new Comparison(shape, fold.rows, folds.nextMark());
  const sample: [string, string][] = [];
  const options = { rowsPerSecond: ref.spec.spec.source.limits.rowsPerSecond, heartbeat };
  await readRows(reader, from, shape, options, (key, row) => {
    if (sample.length < 8 && row !== null) sample.push([key, row]);
    comparison.add(key, row);
  });
  const { counts, differences } = comparison.finish();
  const all = { ...NO_COUNTS, ...counts, unknown: counts.unknown + fold.unreadable };
  const canary = runCanary(shape, sample);
  const verdict = assessComparison(all, {
    barrier: null,
    countedRows: counted,
    readRows: comparison.rowsRead,
    canaryPlanted: canary.planted,
    canaryFound: canary.found,
  });
  return measured(table, 'exact', verdict, all, differences, lsn, Date.now() - started);
}
