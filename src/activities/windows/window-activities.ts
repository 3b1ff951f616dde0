// Runs one validation window, which is one comparison of batch and stream, in one activity. A
// window compares tables exactly, unless they are polled. With `validation.results: exact`, it
// compares results at a still point, when the pipeline has processed everything and nothing new
// arrives. Otherwise, or if no still point is possible, it compares results in several rounds. It
// writes its verdicts and the differences into the ledger.
import { Context } from '@temporalio/activity';
import type { BrokenGlass } from '../../domain/decisions/cosign.js';
import { seeFacts } from '../../clients/ledger/facts-by-digest.js';
import type { CaptureProblem } from '../../domain/capture/captured-set.js';
import { type FactsSeen } from '../../domain/evidence/epoch.js';
import type { Lag, MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { RecentResult } from '../../domain/plan/final-result.js';
import { worst, type Verdict } from '../../domain/evidence/verdict.js';
import type { Difference, WindowRow } from '../../domain/evidence/window.js';
import type { Deps } from '../runtime/deps.js';
import { beat } from '../runtime/poll-until.js';
import { endLeftPauses } from '../capture/connectors/connector-pause.js';
import { routeProblem, type RouteProblem } from '../cutover/observed-route.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { measure, type Measured } from './measure-window.js';
import type { StandsStill, WindowSession, WitnessRole } from './session.js';
import { endedRuns, type WindowRecord } from '../../clients/ledger/window-rows.js';
import { evidenceOf } from './evidence.js';
import { beginWindow, endWindow, type Attempt } from './record-window.js';
import { withPlace } from './place-on-source.js';
import { FoldFiles } from './folds/fold-files.js';
import { FoldCache } from './folds/folds.js';
import { readFacts } from './pipeline-facts.js';
import type { TablesCost } from './tables/compare-tables.js';
import type { WitnessUse } from './tables/compare-one-table.js';
import { endingWitness } from './witness/witness-of-window.js';
import { Witnesses } from './witness/witnesses.js';
import { areResultsExact } from './results/recent-results.js';
import { toRow, type SubjectOutcome } from './subject-outcome.js';

/** The default for the bytes that the key tables of a worker's windows may use. */
const WINDOW_MEMORY = 2 ** 30;

export interface WindowInput {
  readonly ref: MigrationRef;
  readonly number: number;
  /** The time limit of the settled rounds, in ms. */
  readonly roundsMs: number;
  /** Says why the pipeline gets no input at the still point. The default is `paused`. */
  readonly still?: StandsStill;
  /**
   * True if the window must read every row, even rows that an earlier window proved. This is true
   * for the windows of a cut-over, and for the first of several windows that must pass in a row
   * (the streak). It is also true after a harmless restart, or if a person asks for it. A final
   * window that can use a witness still reads only the changed rows.
   */
  readonly isFull: boolean;
  /**
   * The digest of the facts that the evidence depends on. Null if there is no evidence yet. If the
   * facts have changed, the window is always full.
   */
  readonly since: string | null;
  /** Set while two people have opened the gate by break-glass, so that the evidence says so. */
  readonly brokenGlass?: BrokenGlass;
  /** This window's use of a witness. Absent if the window uses no witness. */
  readonly witness?: WitnessRole;
  /** The earlier window that proved the results. Set if this window compares only the tables. */
  readonly restsOn?: RecentResult;
  /** Set after the commit. The window then also checks that consumers read the committed side. */
  readonly watchesRoute?: boolean;
}

/** A result without `chain`, which is known only after the window is recorded. */
type Measurement = Omit<WindowResult, 'chain'>;

export interface WindowResult {
  /**
   * The requested number, or a higher number if the workflow was reset and an earlier window
   * already has the requested number.
   */
  readonly number: number;
  /**
   * The end of the evidence chain after this window. The run's history in Temporal also contains
   * it, so `sluice report verify` can compare the ledger with the history.
   */
  readonly chain: string;
  readonly verdict: Verdict;
  readonly rows: readonly Pick<WindowRow, 'subject' | 'verdict' | 'reason'>[];
  readonly matched: number;
  readonly compared: number;
  /**
   * The number of compared keys whose rows this window read. Rows that an earlier window proved are
   * not counted.
   */
  readonly comparedNow: number;
  readonly at: string;
  readonly lag: Lag;
  /** The part of the duration in which the tables' topics were read. */
  readonly foldMs: number;
  /** The duration, without the waits for a free worker and for a place on the source. */
  readonly tookMs: number;
  /** The cost of the tables. Null if the window did not compare the tables exactly. */
  readonly tables: TablesCost | null;
  /** The state of the witness. Absent if the window neither begins nor uses a witness. */
  readonly witness?: WitnessUse;
  /** True if all results passed, and none was compared in settled mode. */
  readonly areResultsExact?: boolean;
  /** Null if the facts could not be read. Unknown facts do not count as unchanged. */
  readonly facts: FactsSeen | null;
  /**
   * The connector task or group member that restarted without a change. Set only if this restart is
   * the only reason why the window proves nothing. The streak then waits for a full window.
   */
  readonly restarted?: string;
  /** Present only if something that is compared is not captured. */
  readonly captureProblem?: CaptureProblem;
  /** Present only if the check of the route did not show that consumers read the committed side. */
  readonly routeProblem?: RouteProblem;
}

export function createWindowActivities(deps: Deps) {
  const folds = new FoldCache(new FoldFiles(deps.stateDir), deps.windowMemory ?? WINDOW_MEMORY);
  const witnesses = new Witnesses(deps.secret);
  const forget = async (runs: readonly Pick<MigrationRef, 'runKey'>[]): Promise<void> => {
    await Promise.all(runs.map((run) => witnesses.end(run)));
    await folds.forget(runs);
  };
  const windowOf = async (
    input: WindowInput & Planned,
    number: number,
    who: Attempt,
  ): Promise<WindowResult> => {
    const started = Date.now();
    await forget(await endedRuns(deps.ledger));
    const { ref, plan, isFull, roundsMs } = input;
    const session: WindowSession = {
      deps,
      ref,
      plan,
      kafka: deps.systems.kafka(plan),
      folds,
      number,
      isFull,
      roundsMs,
      still: input.still ?? 'paused',
      scheduledMs: Context.current().info.currentAttemptScheduledTimestampMs,
      restsOn: input.restsOn,
      witness: input.witness && { role: input.witness, keeper: witnesses },
      heartbeat: throttled(),
    };
    const measured = await folds.exclusive(ref, () =>
      endingWitness(witnesses, session, () => measure(session, input.since)),
    );
    const problem = input.watchesRoute ? await routeProblem({ ref, plan }, deps) : null;
    return endWindow(deps.ledger, ref, recordOf(input, number, started, measured, problem), who);
  };
  return withPlan({
    /**
     * Runs a window. A difference does not make it throw. Throws if the generation ends (a lost
     * slot or topic), if the ledger fails, or on cancellation. Idempotent for each window number.
     */
    async runWindow(input: WindowInput & Planned): Promise<WindowResult> {
      const { ref } = input;
      const { workflowExecution, activityId, attempt } = Context.current().info;
      const who: Attempt = { by: `${workflowExecution?.runId ?? 'none'}/${activityId}`, attempt };
      const begun = await beginWindow<Measurement>(deps.ledger, ref, input.number, who);
      if (begun.answered) return begun.answered;
      await endLeftPauses(deps, input); // an earlier attempt may have died during a still point
      return withPlace(deps, input.plan, () => windowOf(input, begun.number, who));
    },

    /** Reads the facts that the evidence depends on, for the recheck before the cut-over. */
    async readFacts(run: Planned, since: string | null): Promise<FactsSeen> {
      return seeFacts(deps.ledger, run.ref, (await readFacts(deps, run)).facts, since);
    },

    /** Ends the migration's witness, and removes its folds from this worker's memory and disk. */
    async dropFolds({ ref }: Planned): Promise<void> {
      await forget([ref]);
    },
  });
}

function recordOf(
  { ref, brokenGlass, restsOn, plan }: WindowInput & Planned,
  number: number,
  started: number,
  { subjects, lag, facts, restarted, batchAge, captureProblem, tables, witness }: Measured,
  problem: RouteProblem | null,
): WindowRecord<Measurement> {
  const at = new Date().toISOString();
  const foldMs = subjects.reduce((sum, s) => sum + (s.foldMs ?? 0), 0);
  const rows = subjects.map((s) => toRow(s, number, at));
  const rowsRead = rows.reduce((sum, r) => sum + (r.rowsRead ?? 0), 0);
  return {
    rows,
    differences: new Map<string, readonly Difference[]>(
      subjects.map((s) => [s.subject, s.differences]),
    ),
    evidence: evidenceOf(ref, subjects, facts?.digest ?? null, {
      ...(brokenGlass ? { brokenGlass } : {}),
      ...(restsOn ? { resultsRestOn: restsOn } : {}),
    }),
    sample: {
      number,
      at,
      lag,
      batchAge,
      rowsRead,
      sourceMs: Math.max(0, Date.now() - started - foldMs),
    },
    result: {
      number,
      verdict: worst(subjects.map((s) => prefixed(s))),
      rows: rows.map(({ subject, verdict, reason }) => ({ subject, verdict, reason })),
      matched: rows.reduce((sum, r) => sum + (r.matched ?? 0), 0),
      compared: rows.reduce((sum, r) => sum + (r.compared ?? 0), 0),
      comparedNow: rows.reduce((sum, r) => sum + (r.compared ?? 0) - (r.provenEarlier ?? 0), 0),
      at,
      lag,
      facts,
      tables,
      ...(witness ? { witness } : {}),
      ...(areResultsExact(plan, subjects) ? { areResultsExact: true } : {}),
      foldMs,
      tookMs: Math.max(0, Date.now() - started),
      ...(restarted === undefined ? {} : { restarted }),
      ...(captureProblem ? { captureProblem } : {}),
      ...(problem ? { routeProblem: problem } : {}),
    },
  };
}

const prefixed = (s: SubjectOutcome): Verdict => ({
  verdict: s.verdict.verdict,
  reason: `${s.subject}: ${s.verdict.reason}`,
});

function throttled(): () => void {
  let last = 0;
  return () => {
    const now = Date.now();
    if (now - last < 500) return;
    last = now;
    beat();
  };
}
