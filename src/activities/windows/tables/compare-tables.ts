// Exact mode: compares a REPEATABLE READ snapshot of the tables with their topics. Snapshot
// visibility and source.txId align both sides, so every key must be equal.
import { readKeyedTable, type TableCatalog } from '../../../clients/postgres/catalog.js';
import { hasTolerance, type Shape } from '../../../compare/comparison.js';
import { byColumn } from '../../../domain/evidence/by-column.js';
import type { Verdict } from '../../../domain/evidence/verdict.js';
import type { Difference } from '../../../domain/evidence/window.js';
import type { Relation } from '../../../domain/migration/names.js';
import { engineGateway } from '../../../domain/migration/spec.js';
import { parseSnapshot, type Lsn } from '../../../domain/values/position.js';
import { refuseRepartitioned } from '../folds/folds.js';
import {
  BARRIER_LIMIT_MS,
  connected,
  markOf,
  type ConnectedReading,
  type ReadingSession,
} from '../session.js';
import { columnsToCompare } from '../shape.js';
import { measured, refuseAllEmpty, unmeasured, type SubjectResult } from '../subject-result.js';
import type { PassInput, TablePass } from './by-hash.js';
import { passOver } from './choose-pass.js';
import { walkAhead, type Walk } from './range-scan.js';
import { boundedNow, snapshotText } from './visibility.js';

export interface TablesResult {
  readonly subjects: SubjectResult[];
  readonly barrierMs: number | null;
}

/**
 * Compares every table in exact mode. Tables of a polled source have no transaction by which to
 * align. They are compared in settled mode, together with the results.
 */
export async function compareTables(session: ReadingSession): Promise<TablesResult> {
  const { plan, number } = session;
  if (plan.capture.subjectMode === 'settled') return { subjects: [], barrierMs: null };
  return connected(session, async (open) => {
    const { reader, side } = open;
    const walks = new Map<string, Walk>();
    for (const { text } of plan.tables) {
      const walk = await walkOver(open, text);
      if (walk) walks.set(text, walk);
    }
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const text = await snapshotText(reader);
    const started = Date.now();
    const mark = await markOf(session, {
      snapshot: reader,
      side,
      token: `window ${number}`,
    });
    const unproven = await mark.reached(started + BARRIER_LIMIT_MS);
    const at: Alignment = { snapshotText: text, lsn: mark.lsn };
    const barrierMs = unproven ? null : Date.now() - started;
    const subjects: SubjectResult[] = [];
    for (const table of plan.tables) {
      subjects.push(
        unproven
          ? unmeasured(table.text, 'exact', { verdict: 'inconclusive', reason: unproven }, at.lsn)
          : await compareTable(open, table, at, walks.get(table.text)),
      );
    }
    return { subjects: refuseAllEmpty(subjects), barrierMs };
  });
}

/** The moment for which both sides are compared. */
interface Alignment {
  readonly snapshotText: string;
  readonly lsn: Lsn;
}

/**
 * Scans a long table range by range before the window's own snapshot, if every row of it has to be
 * read.
 */
async function walkOver(session: ConnectedReading, table: string): Promise<Walk | null> {
  const { folds, ref, plan, isFull } = session;
  if (engineGateway(plan.spec)) return null;
  const { catalog, shape, topic } = await comparedTable(session, table);
  if (hasTolerance(shape)) return null;
  return walkAhead({ ...session, catalog, shape, topic }, async () => {
    if (folds.partsNeeded(ref, topic, shape, catalog.rowsEstimate) > 1) return null;
    const fold = await folds.hashes(ref, topic, shape, catalog.rowsEstimate);
    return fold.provenAt !== null && !isFull ? null : fold;
  });
}

async function comparedTable(
  { reader, plan }: ConnectedReading,
  table: string,
): Promise<{ catalog: TableCatalog; shape: Shape; topic: string }> {
  const catalog = await readKeyedTable(reader, table);
  const columns = columnsToCompare(plan, catalog.columns, catalog.key, table);
  const { topic } = plan.captures.find(({ subject }) => subject === table)!;
  return { catalog, shape: { key: catalog.key, columns }, topic };
}

async function compareTable(
  session: ConnectedReading,
  table: Relation,
  { snapshotText, lsn }: Alignment,
  walk: Walk | undefined,
): Promise<SubjectResult> {
  const { ref, plan, kafka, reader, side, heartbeat } = session;
  const started = Date.now();
  const { catalog, shape, topic } = await comparedTable(session, table.text);
  const counting = `SELECT count(*) AS n FROM ${table.sql}`;
  const counted = Number((await reader.query<Record<string, string>>(counting)).rows[0]!['n']);
  const ends = await kafka.offsets(topic);
  refuseRepartitioned(ref, topic, ends);
  const input: PassInput = {
    kafka,
    topic,
    heartbeat,
    ends,
    shape,
    snapshot: await boundedNow(side, parseSnapshot(snapshotText)),
    reader,
    from: table.sql,
    isPartitioned: catalog.kind === 'p',
    rowsPerSecond: plan.spec.source.limits.rowsPerSecond,
  };
  const pass = await passOver(session, input, { catalog, counted, walk });
  const result = measured({
    subject: table.text,
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
  return { ...result, verdict: noted(result.verdict, pass), foldMs: pass.foldMs ?? 0 };
}

/**
 * Adds a note to the reason: the column in which most rows differ, or what a passed window did not
 * read again.
 */
function noted(result: Verdict, pass: TablePass): Verdict {
  const note = pass.isStopped
    ? systematic(pass.differences)
    : result.verdict === 'passed'
      ? pass.note
      : undefined;
  return note ? { ...result, reason: `${result.reason}: ${note}` } : result;
}

/** Names the column in which most of the examined rows differ, and the rule that explains them. */
function systematic(differences: readonly Difference[]): string | undefined {
  const [first] = byColumn(differences);
  return (
    first &&
    `${first.rows} of the examined rows differ in ${first.column}${first.always ? ` (${first.always})` : ''}`
  );
}
