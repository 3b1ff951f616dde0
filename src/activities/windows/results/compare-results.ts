// Settled mode: the queries of the batch and its stages run again in each round's snapshot. They
// are compared with the pipeline's topics and the sink's table, and polled tables are compared in
// the same way.
import { runCanary } from '../../../compare/canary.js';
import { refusedDifferences } from '../../../compare/refused.js';
import { ALIGNED_SUBJECT, resultMode } from '../../../domain/evidence/subjects.js';
import { comparedOf } from '../../../domain/evidence/window.js';
import { pause } from '../../runtime/poll-until.js';
import { adapterOf } from '../../capture/index.js';
import { connected, type ConnectedSession, type WindowSession } from '../session.js';
import { compareStored, finishedRun } from './stored-result.js';
import { compareExactly } from './exact/compare-exactly.js';
import { computationsOf, sidesOf, type Computation } from './computation.js';
import { takeRound, type RoundTaken } from './rounds.js';
import { measured, refuseAllEmpty, unmeasured, type SubjectResult } from '../subject-result.js';

const MIN_ROUNDS = 2;
const ROUNDS_WHEN_FAILED = 3;

export interface ResultCompared {
  readonly subjects: SubjectResult[];
  /** The time that the last round's marker took through the path. Null if there was no round. */
  readonly pathMs: number | null;
}

/**
 * Compares results, stages and polled tables in rounds. A key that changes in every round is
 * unstable.
 */
export async function compareResult(session: WindowSession): Promise<ResultCompared> {
  const { subjectMode } = session.plan.capture;
  const tables = session.plan.tables.map(({ text }) => text);
  const subjects = session.plan.subjects.filter(
    ({ subject }) => subjectMode === 'settled' || !tables.includes(subject),
  );
  if (subjects.length === 0) return { subjects: [], pathMs: null };
  const started = Date.now();
  const deadline = started + session.roundsMs;
  return connected(session, async (open) => {
    const { plan, reader } = open;
    const computations = await computationsOf(open);
    const isAligned = plan.spec.validation.closedKeys !== '';
    const run = isAligned ? await finishedRun(reader, plan.batch!) : null;
    const stored = async (): Promise<SubjectResult[]> =>
      run === null ? [] : [await compareStored(open, computations.at(-1)!, run)];
    const unread = (): SubjectResult[] =>
      run === null
        ? []
        : [
            unmeasured(ALIGNED_SUBJECT, 'batch-aligned', {
              verdict: 'inconclusive',
              reason: 'the stream side was not read: see the result',
            }),
          ];
    const exact =
      resultMode(plan) === 'exact' ? await compareExactly(open, computations) : undefined;
    if (exact && 'subjects' in exact) {
      const isTaken = computations.at(-1)!.taken !== null;
      return { ...exact, subjects: [...exact.subjects, ...(isTaken ? await stored() : unread())] };
    }
    const last = await settle(open, computations, deadline);
    if (typeof last === 'string') {
      const verdict = { verdict: 'inconclusive', reason: last } as const;
      const tookMs = Date.now() - started;
      return {
        subjects: subjects.map(({ subject, mode }) =>
          unmeasured(subject, mode, verdict, null, tookMs),
        ),
        pathMs: null,
      };
    }
    const durationMs = Date.now() - started;
    const judged = (areTables: boolean): SubjectResult[] =>
      computations.filter((c) => c.isTable === areTables).flatMap((c) => judge(c, durationMs));
    const polled = await sayingWhyMissing(open, refuseAllEmpty(judged(true)));
    const results = judged(false).map((subject) => settledBecause(subject, exact?.settledBecause));
    return { subjects: [...polled, ...results, ...(await stored())], pathMs: last.pathMs };
  });
}

/**
 * Takes rounds until every key was seen at rest, or until the deadline (epoch ms). Returns the last
 * round, or a string with the reason why a round proved nothing.
 */
async function settle(
  session: ConnectedSession,
  computations: readonly Computation[],
  deadline: number,
): Promise<RoundTaken | string> {
  let open = computations;
  for (;;) {
    const begun = Date.now();
    const round = await takeRound(session, open);
    if (typeof round === 'string') return round;
    const rest = 2 * round.queryMs - (Date.now() - begun); // the queries take at most half of the time
    if (rest > 0 && isOpen(computations, deadline)) await pause(rest);
    if (!isOpen(computations, deadline)) return round;
    open = computations.filter((c) => sidesOf(c).some((side) => side.isOpen));
  }
}

/** Adds why a result was not compared exactly although the spec asks for it. */
function settledBecause(result: SubjectResult, why: string | undefined): SubjectResult {
  if (why === undefined) return result;
  const { verdict, reason } = result.verdict;
  return { ...result, verdict: { verdict, reason: `${reason}; settled, because ${why}` } };
}

/** Adds the reason if rows of a polled table are missing only because they cannot be there yet. */
async function sayingWhyMissing(
  { plan, reader }: ConnectedSession,
  subjects: SubjectResult[],
): Promise<SubjectResult[]> {
  const adapter = adapterOf(plan);
  const said: SubjectResult[] = [];
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

function isOpen(computations: readonly Computation[], deadline: number): boolean {
  const sides = computations.flatMap(sidesOf);
  if (!sides.some((side) => side.isOpen)) return false;
  const rounds = Math.max(...sides.map((side) => side.rounds));
  if (rounds < MIN_ROUNDS) return true;
  return (
    Date.now() < deadline &&
    !(sides.some((side) => side.hasDifferences) && rounds >= ROUNDS_WHEN_FAILED)
  );
}

function judge(computation: Computation, durationMs: number): SubjectResult[] {
  const { expected, counted, lsn } = computation.taken!;
  const { subject, shape, fold, isTable } = computation;
  const sample = [...expected]
    .filter((entry): entry is [string, string] => entry[1] !== null)
    .slice(0, 8);
  const sides = [
    { countedRows: counted, readRows: expected.size },
    ...(computation.sink ? [computation.sink.counted] : []),
  ];
  return sidesOf(computation).map((side, at) => {
    const settled = side.counts();
    const counts = { ...settled, unknown: settled.unknown + (at === 0 ? fold.unreadable : 0) };
    const canary = runCanary(shape, sample);
    const barrier =
      !isTable && comparedOf(counts) === 0
        ? 'compared 0 keys < 1 required: two empty sides prove nothing'
        : null;
    return measured({
      subject: at === 0 ? subject : `${subject}@sink`,
      mode: 'settled',
      counts,
      proofs: { barrier, ...sides[at]!, canaryPlanted: canary.planted, canaryFound: canary.found },
      differences: [...side.report(), ...(at === 0 ? refusedDifferences(shape, fold.refused) : [])],
      position: lsn,
      durationMs,
      proof: { topic: computation.topic, rounds: side.rounds, rows: expected.size },
    });
  });
}
