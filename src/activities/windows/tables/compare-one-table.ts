// Compares one table with its topic in the window's snapshot. With a witness, a window may rest on
// an earlier window, such as the full window before the fence. It then compares only the rows that
// changed after the earlier window. With a witness that is kept for later windows, it also compares
// a part of the other rows (a scrub).
import { readKeyedTable, type TableCatalog } from '../../../clients/postgres/catalog.js';
import type { Shape } from '../../../compare/row-comparison.js';
import { byColumn } from '../../../domain/evidence/by-column.js';
import type { Verdict } from '../../../domain/evidence/verdict.js';
import type { Difference } from '../../../domain/evidence/window.js';
import type { WitnessProof } from '../../../domain/evidence/witness.js';
import type { Relation } from '../../../domain/migration/names.js';
import { parseSnapshot, type Lsn } from '../../../domain/values/position.js';
import { refuseRepartitioned } from '../folds/fold-table.js';
import type { ConnectedReading } from '../session.js';
import { columnsToCompare } from '../columns-to-compare.js';
import { measured, unmeasured, type SubjectOutcome } from '../subject-outcome.js';
import { passWitnessed } from '../witness/pass-witnessed.js';
import { isHearing } from '../witness/witness-of-window.js';
import type { Heard } from '../witness/witnesses.js';
import type { PassInput, TablePass } from './table-by-hash.js';
import { passOver, type KnownTable } from './choose-pass.js';
import type { Walk } from './range-scan.js';
import { boundedNow } from './visibility.js';

/** Says whether a window used its witness, a temporary slot that shows which rows have changed. */
export interface WitnessUse {
  /** The reason why no witness can be used. Null if one can be used. */
  readonly refused: string | null;
  /** True if the window skipped rows of at least one table, because it used the witness. */
  readonly rested: boolean;
}

/** The point at which both sides are compared. */
export interface Alignment {
  readonly snapshotText: string;
  readonly lsn: Lsn;
  /** The changes that the witness saw. Null if the window does not read a witness. */
  readonly heard: Heard | null;
}

/** Reads the table from the catalog, and returns its shape and its topic. */
export async function comparedTable(
  { reader, plan }: ConnectedReading,
  table: string,
): Promise<{ catalog: TableCatalog; shape: Shape; topic: string }> {
  const catalog = await readKeyedTable(reader, table);
  const columns = columnsToCompare(plan, catalog.columns, catalog.key, table);
  const { topic } = plan.captures.find(({ subject }) => subject === table)!;
  return { catalog, shape: { key: catalog.key, columns }, topic };
}

export interface ComparedTable {
  readonly result: SubjectOutcome;
  readonly counted: number;
  /** The witness's part of the evidence. Null if the window reads no witness. */
  readonly witness: WitnessProof | Refused | null;
}

interface Refused {
  readonly refused: string;
}

/** Compares one table with its topic. Also returns the number of rows in the table. */
export async function compareTable(
  session: ConnectedReading,
  table: Relation,
  at: Alignment,
  walk: Walk | undefined,
): Promise<ComparedTable> {
  const { ref, plan, kafka, reader, side, heartbeat } = session;
  const { snapshotText, lsn, heard } = at;
  const started = Date.now();
  const { catalog, shape, topic } = await comparedTable(session, table.text);
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
  const passed = await passOrWitnessed(session, input, table, heard, { catalog, walk });
  if (typeof passed === 'string') {
    const verdict = { verdict: 'inconclusive', reason: passed } as const;
    const result = unmeasured(table.text, 'exact', verdict, lsn);
    return { result, counted: 0, witness: { refused: passed } };
  }
  const { pass, counted, witness } = passed;
  const result = measured({
    subject: table.text,
    mode: 'exact',
    counts: pass.counts,
    proofs: {
      barrier: null,
      countedRows: isRested(witness) ? null : counted,
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
      ...(witness ? { witness } : {}),
    },
  });
  return {
    result: { ...result, verdict: noted(result.verdict, pass), foldMs: pass.foldMs ?? 0 },
    counted,
    witness,
  };
}

/** Returns true if the window did not read every row of the table, because it used the witness. */
export const isRested = (witness: ComparedTable['witness']): witness is WitnessProof =>
  witness !== null && 'passedBefore' in witness;

interface Passed extends Pick<ComparedTable, 'counted' | 'witness'> {
  readonly pass: TablePass;
}

/**
 * Compares only the rows that changed after the earlier window, if the witness can be used.
 * Otherwise, counts the rows and compares the table without the witness. If reading every row is
 * not allowed, because it would take longer than `maxHold`, returns a reason as text.
 */
async function passOrWitnessed(
  session: ConnectedReading,
  input: PassInput,
  table: Relation,
  heard: Heard | null,
  known: Omit<KnownTable, 'counted'>,
): Promise<Passed | string> {
  let refused: string | null = null;
  if (heard) {
    const answer =
      'refused' in heard ? heard.refused : await passWitnessed(session, input, table.text, heard);
    if (typeof answer !== 'string')
      return { pass: answer, counted: answer.counted, witness: answer.witness };
    const role = session.witness?.role;
    if (isHearing(role) && !role.orReadsAll)
      return `the witness cannot be used, and maxHold is too short to read every row under the fence: ${answer}`;
    refused = answer;
  }
  const counting = `SELECT count(*) AS n FROM ${input.from}`;
  const { rows } = await input.reader.query<Record<string, string>>(counting);
  const counted = Number(rows[0]!['n']);
  const pass = await passOver(session, input, { ...known, counted });
  if (refused === null) return { pass, counted, witness: null };
  const note = isHearing(session.witness?.role)
    ? `read every row under the fence, because the witness cannot be used: ${refused}`
    : `${pass.note ?? 'read every row'}, because the witness cannot be used: ${refused}`;
  return { pass: { ...pass, note }, counted, witness: { refused } };
}

/**
 * Adds a note to the reason. If the pass stopped early, the note names the column in which the
 * most rows differ. If the verdict is `passed`, the note says how the rows were read.
 */
function noted(result: Verdict, pass: TablePass): Verdict {
  const note = pass.isStopped
    ? systematic(pass.differences)
    : result.verdict === 'passed'
      ? pass.note
      : undefined;
  return note ? { ...result, reason: `${result.reason}: ${note}` } : result;
}

/**
 * Names the column in which the largest number of the examined rows differ. If one rule explains
 * all of these differences, such as `stream = batch + 7 h`, names this rule, too.
 */
function systematic(differences: readonly Difference[]): string | undefined {
  const [first] = byColumn(differences);
  return (
    first &&
    `${first.rows} of the examined rows differ in ${first.column}${first.always ? ` (${first.always})` : ''}`
  );
}
