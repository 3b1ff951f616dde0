// Settled mode: the batch's query (and those of its stages), re-run in each round's snapshot, against the pipeline's topics and the sink's table; so are
// tables that are polled.
import { openSource, type SourceClient } from '../../../clients/postgres/connection.js';
import { runCanary } from '../../../compare/canary.js';
import { refusedDifferences } from '../../../compare/refused.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import { capturesOf } from '../../../domain/migration/names.js';
import { pollingOf } from '../../../domain/migration/polling.js';
import { comparedOf } from '../../../domain/evidence/window.js';
import type { Deps } from '../../runtime/deps.js';
import { pause } from '../../runtime/poll-until.js';
import { rowsAhead } from '../../capture/polled-clock.js';
import { subjectsOf } from '../../../domain/migration/subjects.js';
import { compareStored, finishedRun } from './aligned-query.js';
import { computationsOf, sidesOf, type Computation } from './computation.js';
import type { FoldCache } from '../folds/folds.js';
import { takeRound, type RoundTaken } from './rounds.js';
import { measured, refuseAllEmpty, unmeasured, type SubjectResult } from '../subject.js';

const MIN_ROUNDS = 2;
const ROUNDS_WHEN_FAILED = 3;

export interface ResultCompared {
  readonly subjects: SubjectResult[];
  /** Of the last round; null when there was none. */
  readonly pathMs: number | null;
}

/** `deadline` (epoch ms) ends the rounds; keys that never held still by then are unstable. */
export async function compareResult(
  deps: Deps,
  folds: FoldCache,
  ref: MigrationRef,
  deadline: number,
  heartbeat: () => void,
): Promise<ResultCompared> {
  const subjects = subjectsOf(ref.spec).filter(({ mode }) => mode !== 'exact');
  if (subjects.length === 0) return { subjects: [], pathMs: null };
  const started = Date.now();
  const client = await openSource(ref.spec, deps.secret, { readOnly: true });
  const side = await openSource(ref.spec, deps.secret).catch(async (error: unknown) => {
    await client.end().catch(() => undefined);
    throw error;
  });
  try {
    const computations = await computationsOf(client, folds, ref);
    const input = {
      systems: deps.systems,
      kafka: deps.systems.kafka(ref.spec),
      ref,
      client,
      side,
      heartbeat,
    };
    const isAligned = ref.spec.spec.validation.closedKeys !== '';
    const run = isAligned ? await finishedRun(client, ref.spec.spec.batch!) : null;
    let last: RoundTaken | undefined;
    for (
      let open = computations;
      !last || isOpen(computations, deadline);
      open = computations.filter((c) => sidesOf(c).some((side) => side.isOpen))
    ) {
      const begun = Date.now();
      const round = await takeRound(input, open);
      if (typeof round === 'string') {
        const verdict = { verdict: 'inconclusive', reason: round } as const;
        return {
          subjects: subjects.map(({ subject, mode }) =>
            unmeasured(subject, mode, verdict, null, Date.now() - started),
          ),
          pathMs: null,
        };
      }
      last = round;
      const rest = 2 * round.queryMs - (Date.now() - begun); // the queries take at most half of the time
      if (rest > 0 && isOpen(computations, deadline)) await pause(rest);
    }
    const durationMs = Date.now() - started;
    const judged = (areTables: boolean): SubjectResult[] =>
      computations.filter((c) => c.isTable === areTables).flatMap((c) => judge(c, durationMs));
    const tables = await sayingWhatIsAhead(client, ref, refuseAllEmpty(judged(true)));
    const settled = [...tables, ...judged(false)];
    const { pathMs } = last;
    if (run === null) return { subjects: settled, pathMs };
    const result = computations.at(-1)!;
    const stored = await compareStored(
      client,
      ref.spec,
      result,
      result.taken!.expected,
      run,
      result.taken!.lsn,
    );
    return { subjects: [...settled, stored], pathMs };
  } finally {
    await Promise.all([client.end().catch(() => undefined), side.end().catch(() => undefined)]);
  }
}

/** A polled row that is missing because its time has not come looks like a lost one: the reason tells the two apart. */
async function sayingWhatIsAhead(
  client: SourceClient,
  ref: MigrationRef,
  subjects: SubjectResult[],
): Promise<SubjectResult[]> {
  const polling = pollingOf(ref.spec);
  if (!polling) return subjects;
  const said: SubjectResult[] = [];
  for (const subject of subjects) {
    const capture = capturesOf(ref.spec, ref.generation).find((c) => c.subject === subject.subject);
    const ahead =
      subject.verdict.verdict !== 'passed' && capture
        ? await rowsAhead(client, polling, capture)
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
