// Compares tables in exact mode: the rows of a REPEATABLE READ snapshot with the topics. A record
// counts only if the snapshot sees the record's transaction (source.txId). Both sides then contain
// the same changes, so every key must be equal.
import { hasTolerance } from '../../../compare/row-comparison.js';
import { HashFold } from '../../../compare/hash-fold.js';
import { BARRIER_LIMIT_MS } from '../../../domain/capture/capture.js';
import { engineGateway } from '../../../domain/migration/spec.js';
import { connected, markOf, type ConnectedReading, type ReadingSession } from '../session.js';
import { refuseAllEmpty, unmeasured, type SubjectOutcome } from '../subject-outcome.js';
import {
  beginWitness,
  hasKept,
  hearWitness,
  isHearing,
  whyUnwitnessed,
  type Compared,
} from '../witness/witness-of-window.js';
import {
  compareTable,
  comparedTable,
  isRested,
  type Alignment,
  type ComparedTable,
  type WitnessUse,
} from './compare-one-table.js';
import { walkAhead, type Walk } from './range-scan.js';
import { snapshotText } from './visibility.js';

/** The cost of comparing the tables, and whether a final window has to read every row. */
export interface TablesCost {
  /** The number of rows in the largest table. */
  readonly rows: number;
  /** The duration in ms, without the time in which topics were read. */
  readonly ms: number;
  /** The reason why a final window has to read every row. Null if it can use a witness instead. */
  readonly unwitnessed: string | null;
}

export interface TablesResult {
  readonly subjects: SubjectOutcome[];
  readonly barrierMs: number | null;
  /** Null if the window did not compare the tables exactly. */
  readonly cost: TablesCost | null;
  /** The state of the witness. Absent if the window neither begins nor uses a witness. */
  readonly witness?: WitnessUse;
}

/**
 * Compares every table in exact mode. Records of polled tables name no transaction, so they cannot
 * be aligned with a snapshot. Polled tables are compared in settled mode, together with the
 * results.
 */
export async function compareTables(session: ReadingSession): Promise<TablesResult> {
  if (session.plan.capture.subjectMode === 'settled')
    return { subjects: [], barrierMs: null, cost: null };
  return connected(session, async (open) => {
    const started = Date.now();
    const { plan, ref, number, witness } = open;
    const compared: Compared[] = [];
    for (const table of plan.tables)
      compared.push({ table, shape: (await comparedTable(open, table.text)).shape });
    const watches = typeof witness?.role === 'string' ? witness.keeper : null;
    const rests = hasKept(open) || isHearing(witness?.role);
    let refused = watches && !rests ? await beginWitness(open, watches, compared) : null;
    const aligned = await compareAligned(open, rests ? new Map() : await walks(open));
    const { subjects, barrierMs, snapshot, tables } = aligned;
    const rows = new Map(tables.map(({ result, counted }) => [result.subject, counted]));
    for (const { witness: use } of tables) if (use && !isRested(use)) refused ??= use.refused;
    if (watches) refused ??= whyNotProven(open, subjects);
    if (watches) refused ??= watches.proven(ref, { window: number, rows }, snapshot);
    if (refused !== null) await watches?.end(ref);
    const foldMs = subjects.reduce((sum, { foldMs = 0 }) => sum + foldMs, 0);
    return {
      subjects: refuseAllEmpty(subjects),
      barrierMs,
      cost: {
        rows: Math.max(0, ...rows.values()),
        ms: Math.max(0, Date.now() - started - foldMs),
        unwitnessed: whyUnwitnessed(plan, compared),
      },
      ...(witness ? { witness: { refused, rested: tables.some((t) => isRested(t.witness)) } } : {}),
    };
  });
}

/** Returns the reason why a later window cannot rest on this window, or null if it can. */
function whyNotProven(
  { folds, ref, plan }: ReadingSession,
  subjects: readonly SubjectOutcome[],
): string | null {
  for (const { subject, verdict } of subjects) {
    if (verdict.verdict !== 'passed') return `the full pass of ${subject} was ${verdict.verdict}`;
    const { topic } = plan.captures.find((capture) => capture.subject === subject)!;
    const fold = folds.ofTable(ref, topic);
    if (!(fold instanceof HashFold) || fold.provenAt === null)
      return `${subject} does not fit into the window's memory`;
  }
  return null;
}

interface Aligned {
  readonly subjects: SubjectOutcome[];
  readonly barrierMs: number | null;
  readonly snapshot: string;
  /** The tables that were compared. Empty if the barrier was not proven. */
  readonly tables: readonly ComparedTable[];
}

/** Compares the tables in one snapshot. */
async function compareAligned(
  open: ConnectedReading,
  walked: ReadonlyMap<string, Walk>,
): Promise<Aligned> {
  const { plan, reader, side, number } = open;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const snapshot = await snapshotText(reader);
  const started = Date.now();
  const mark = await markOf(open, {
    snapshot: reader,
    side,
    token: `window ${number}`,
  });
  const unproven = await mark.reached(started + BARRIER_LIMIT_MS);
  const barrierMs = unproven ? null : Date.now() - started;
  const heard = unproven ? null : await hearWitness(open);
  const at: Alignment = { snapshotText: snapshot, lsn: mark.lsn, heard };
  const subjects: SubjectOutcome[] = [];
  const tables: ComparedTable[] = [];
  for (const table of plan.tables) {
    if (unproven) {
      const verdict = { verdict: 'inconclusive', reason: unproven } as const;
      subjects.push(unmeasured(table.text, 'exact', verdict, at.lsn));
      continue;
    }
    const one = await compareTable(open, table, at, walked.get(table.text));
    subjects.push(one.result);
    tables.push(one);
  }
  return { subjects, barrierMs, snapshot, tables };
}

async function walks(session: ConnectedReading): Promise<Map<string, Walk>> {
  const walked = new Map<string, Walk>();
  for (const { text } of session.plan.tables) {
    const walk = await walkOver(session, text);
    if (walk) walked.set(text, walk);
  }
  return walked;
}

/**
 * Scans a long table range by range before the window's own snapshot, if every row of the table has
 * to be read.
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
