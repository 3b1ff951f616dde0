// Compares results, stages and the sink, and with `closedKeys` the stored result of the last batch
// run. At a still point, the pipeline has processed everything, so the comparison is exact. If that
// is not possible or not wanted, this code compares in settled rounds. In each round, the queries
// run again in a new snapshot. A key counts only after its row was the same in two rounds in a row.
// Polled tables are also compared in rounds, but a row that is equal on both sides counts after one
// round.
import { runCanary } from '../../../compare/canary.js';
import { refusedDifferences } from '../../../compare/refused.js';
import { STORED_SUBJECT, type Subject } from '../../../domain/evidence/subjects.js';
import { resultMode, settledBecause } from '../../../domain/plan/planned-subjects.js';
import { separateTarget } from '../../../domain/migration/databases.js';
import { comparedOf } from '../../../domain/evidence/counts.js';
import type { OrReason } from '../../../domain/values/or-reason.js';
import { pause } from '../../runtime/poll-until.js';
import { adapterOf } from '../../capture/index.js';
import {
  connectedToTarget,
  type ConnectedSession,
  type ResultSession,
  type WindowSession,
} from '../session.js';
import { compareStored, finishedRun } from './stored-result.js';
import { compareExactly } from './exact/compare-exactly.js';
import { buildComparedQueries, sidesOf, type ComparedQuery } from './compared-queries.js';
import { takeRound, type RoundTaken } from './settled-round.js';
import { measured, refuseAllEmpty, unmeasured, type SubjectOutcome } from '../subject-outcome.js';

const MIN_ROUNDS = 2;
const ROUNDS_WHEN_FAILED = 3;

export interface ResultCompared {
  readonly subjects: SubjectOutcome[];
  /** The time (ms) that a barrier took to pass the whole path. Null if no barrier has passed. */
  readonly pathMs: number | null;
}

/**
 * Compares results, stages, the sink and polled tables. Each subject's mode and reason say how the
 * subject was compared.
 */
export async function compareResult(session: WindowSession): Promise<ResultCompared> {
  const { subjectMode } = session.plan.capture;
  const tables = session.plan.tables.map(({ text }) => text);
  const subjects = session.plan.subjects.filter(
    ({ subject }) => subjectMode === 'settled' || !tables.includes(subject),
  );
  if (subjects.length === 0) return { subjects: [], pathMs: null };
  const deadline = Date.now() + session.roundsMs;
  return connectedToTarget(session, async (open) => {
    const { plan, target } = open;
    const comparedQueries = await buildComparedQueries(open);
    const isAligned = plan.spec.validation.closedKeys !== '';
    const run = isAligned ? await finishedRun(target, plan.batch!) : null;
    const stored = async (): Promise<SubjectOutcome[]> =>
      run === null ? [] : [await compareStored(open, comparedQueries.at(-1)!, run)];
    const exact =
      resultMode(plan) === 'exact' ? await compareExactly(open, comparedQueries) : undefined;
    if (exact && 'subjects' in exact) {
      const isTaken = comparedQueries.at(-1)!.taken !== null;
      const more = isTaken ? await stored() : run === null ? [] : [unreadStored()];
      return { ...exact, subjects: [...exact.subjects, ...more] };
    }
    const why = exact?.settledBecause ?? settledBecause(plan);
    return compareInRounds(open, { comparedQueries, subjects, deadline, why }, stored);
  });
}

const unreadStored = (): SubjectOutcome =>
  unmeasured(STORED_SUBJECT, 'batch-aligned', {
    verdict: 'inconclusive',
    reason: 'the stream side was not read; the verdict of the result says why',
  });

interface InRounds {
  readonly comparedQueries: readonly ComparedQuery[];
  readonly subjects: readonly Subject[];
  /** The time limit (epoch ms). */
  readonly deadline: number;
  /**
   * The reason why results are compared in rounds although the spec asks for exact results. Null if
   * the spec does not ask for them.
   */
  readonly why: string | null;
}

async function compareInRounds(
  open: ResultSession,
  { comparedQueries, subjects, deadline, why }: InRounds,
  stored: () => Promise<SubjectOutcome[]>,
): Promise<ResultCompared> {
  const started = Date.now();
  const last = await settle(open, comparedQueries, deadline);
  const durationMs = Date.now() - started;
  if (!last.ok) {
    const verdict = { verdict: 'inconclusive', reason: last.reason } as const;
    const results = comparedQueries
      .filter((c) => !c.isTable)
      .flatMap(({ subject }) => [subject, `${subject}@sink`]);
    return {
      subjects: subjects.map(({ subject, mode }) =>
        results.includes(subject)
          ? sayingWhySettled(unmeasured(subject, 'settled', verdict, null, durationMs), why)
          : unmeasured(subject, mode, verdict, null, durationMs),
      ),
      pathMs: null,
    };
  }
  const judged = (areTables: boolean): SubjectOutcome[] =>
    comparedQueries
      .filter((c) => c.isTable === areTables)
      .flatMap((c) => judge(open, c, durationMs));
  const polled = await sayingWhyMissing(open, refuseAllEmpty(judged(true)));
  const results = judged(false).map((subject) =>
    sayingWhySettled(last.value.mayLackCommits ? sayingWhoWaits(subject) : subject, why),
  );
  return { subjects: [...polled, ...results, ...(await stored())], pathMs: last.value.pathMs };
}

/**
 * Takes rounds until every key has settled. After the second round, the deadline (epoch ms) also
 * ends them. After the third round, a difference does, too. Returns the last round, or the reason
 * why a round proved nothing.
 */
async function settle(
  session: ResultSession,
  comparedQueries: readonly ComparedQuery[],
  deadline: number,
): Promise<OrReason<RoundTaken>> {
  let open = comparedQueries;
  let earlier: RoundTaken | undefined;
  for (;;) {
    const begun = Date.now();
    const round = await takeRound(session, open, earlier);
    if (!round.ok) return round;
    earlier = round.value;
    // with this pause, the queries run for at most half of the time
    const rest = 2 * round.value.queryMs - (Date.now() - begun);
    if (rest > 0 && isOpen(comparedQueries, deadline)) await pause(rest);
    if (!isOpen(comparedQueries, deadline)) return round;
    open = comparedQueries.filter((c) => sidesOf(c).some((side) => side.isOpen));
  }
}

/** Adds the reason why a result was not compared exactly, although the spec asks for that. */
function sayingWhySettled(result: SubjectOutcome, why: string | null): SubjectOutcome {
  if (why === null) return result;
  const { verdict, reason } = result.verdict;
  return {
    ...result,
    verdict: { verdict, reason: `${reason}; compared in settled rounds, because ${why}` },
  };
}

/** Adds that a key may be unstable only because a transaction has not ended. */
function sayingWhoWaits(result: SubjectOutcome): SubjectOutcome {
  const { verdict, reason } = result.verdict;
  if (verdict !== 'inconclusive') return result;
  const waits =
    'a transaction stayed open; with synchronous replication, the stream may have its commit before queries see it';
  return { ...result, verdict: { verdict, reason: `${reason}; ${waits}` } };
}

/**
 * Adds the reason if rows of a polled table may be missing only because the connector could not
 * read them yet.
 */
async function sayingWhyMissing(
  { plan, reader }: ConnectedSession,
  subjects: SubjectOutcome[],
): Promise<SubjectOutcome[]> {
  const adapter = adapterOf(plan);
  const said: SubjectOutcome[] = [];
  for (const subject of subjects) {
    const capture = plan.captures.find((c) => c.subject === subject.subject);
    const ahead =
      subject.verdict.verdict !== 'passed' && capture
        ? await adapter.whyMissing(reader, capture, plan.capture)
        : null;
    said.push(
      ahead
        ? {
            ...subject,
            verdict: { ...subject.verdict, reason: `${subject.verdict.reason}; ${ahead}` },
          }
        : subject,
    );
  }
  return said;
}

function isOpen(comparedQueries: readonly ComparedQuery[], deadline: number): boolean {
  const sides = comparedQueries.flatMap(sidesOf);
  if (!sides.some((side) => side.isOpen)) return false;
  const rounds = Math.max(...sides.map((side) => side.rounds));
  if (rounds < MIN_ROUNDS) return true;
  return (
    Date.now() < deadline &&
    !(sides.some((side) => side.hasDifferences) && rounds >= ROUNDS_WHEN_FAILED)
  );
}

function judge(
  { plan }: ConnectedSession,
  comparedQuery: ComparedQuery,
  durationMs: number,
): SubjectOutcome[] {
  const sinkIn = separateTarget(plan);
  const { expected, counted, lsn } = comparedQuery.taken!;
  const { subject, shape, fold, isTable } = comparedQuery;
  const sample = [...expected]
    .filter((entry): entry is [string, string] => entry[1] !== null)
    .slice(0, 8);
  const sides = [
    { countedRows: counted, readRows: expected.size },
    ...(comparedQuery.sink ? [comparedQuery.sink.counted] : []),
  ];
  return sidesOf(comparedQuery).map((side, at) => {
    const settled = side.counts();
    const counts = { ...settled, unknown: settled.unknown + (at === 0 ? fold.unreadable : 0) };
    const canary = runCanary(shape, sample);
    const barrier =
      !isTable && comparedOf(counts) === 0
        ? 'compared 0 keys: two empty sides prove nothing'
        : null;
    return measured({
      subject: at === 0 ? subject : `${subject}@sink`,
      mode: 'settled',
      counts,
      proofs: { barrier, ...sides[at]!, canaryPlanted: canary.planted, canaryFound: canary.found },
      differences: [...side.report(), ...(at === 0 ? refusedDifferences(shape, fold.refused) : [])],
      position: lsn,
      durationMs,
      proof: {
        topic: comparedQuery.topic,
        rounds: side.rounds,
        rows: expected.size,
        ...(at > 0 && sinkIn !== null ? { sinkIn } : {}),
      },
    });
  });
}
