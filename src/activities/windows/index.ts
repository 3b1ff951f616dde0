// One validation window: tables exact, result settled, facts before and after, rows and differences into the ledger. One activity per window.
import { Context } from '@temporalio/activity';
import type { BrokenGlass } from '../../domain/decisions/cosign.js';
import { seeFacts } from '../../clients/ledger/facts-by-digest.js';
import type { CaptureProblem } from '../../domain/capture/captured-set.js';
import { factsChange, type Facts, type FactsSeen } from '../../domain/evidence/epoch.js';
import { ENDS_GENERATION } from '../../domain/failure.js';
import type { Lag, MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { confirmedPosition, insertLsn } from '../barrier/marker.js';
import { TopicLost } from '../../clients/kafka/kafka.js';
import { withSource } from '../../clients/postgres/connection.js';
import { pipelineGroups } from '../pipelines/index.js';
import { sinkGroup } from '../../domain/migration/names.js';
import { runLogOf } from '../../domain/migration/spec.js';
import { pollingOf } from '../../domain/migration/polling.js';
import { lsnDistance } from '../../domain/values/position.js';
import { worst, type Verdict } from '../../domain/evidence/verdict.js';
import { subjectsOf } from '../../domain/migration/subjects.js';
import type { BatchAge } from '../../domain/evidence/sample.js';
import type { Difference, WindowRow } from '../../domain/evidence/window.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import { alive, beat } from '../runtime/poll-until.js';
import { routeProblem, routeReader, type RouteProblem } from '../cutover/route.js';
import { planned } from '../runtime/with-plan.js';
import type { WindowRecord } from '../../clients/ledger/window-rows.js';
import { evidenceOf } from './evidence.js';
import { beginWindow, endWindow, type Attempt } from './record.js';
import { FoldFiles } from './folds/fold-files.js';
import { FoldCache } from './folds/folds.js';
import { readFacts } from './pipeline-facts.js';
import { batchAge } from './batch-age.js';
import { compareResult } from './results/compare-results.js';
import { compareTables } from './tables/compare-tables.js';
import { toRow, unmeasured, type SubjectResult } from './subject.js';

/** Bytes that the windows of a worker may hold in key tables, unless it is told otherwise. */
const WINDOW_MEMORY = 2 ** 30;

export interface WindowInput {
  readonly ref: MigrationRef;
  readonly number: number;
  /** How long settled rounds may go on, in ms. */
  readonly roundsMs: number;
  /** Every row is read, whatever earlier windows proved: the first window of a streak and the one before the commit. */
  readonly isFull: boolean;
  /** Digest of the facts that the evidence rests on; null = none yet. When they changed, the window is full in any case. */
  readonly since: string | null;
  /** Since it was broken, everything that is proven says so. */
  readonly brokenGlass?: BrokenGlass;
  /** After the commit: also whether consumers still read what was committed. */
  readonly watchesRoute?: boolean;
}

/** Without the link of the chain: that is known once it is recorded. */
type Measurement = Omit<WindowResult, 'chain'>;

export interface WindowResult {
  /** The asked-for one, or a later one where a run that was reset had used it. */
  readonly number: number;
  /** Head of the evidence's chain after this window. In the run's history it stands outside of the ledger: `sluice report verify` compares the two. */
  readonly chain: string;
  readonly verdict: Verdict;
  readonly rows: readonly Pick<WindowRow, 'subject' | 'verdict' | 'reason'>[];
  readonly matched: number;
  readonly compared: number;
  /** Of them: keys for which a row was read. What an earlier window proved is no comparison of this one. */
  readonly comparedNow: number;
  readonly at: string;
  readonly lag: Lag;
  /** Of its duration: reading the tables' topics for the first time, or what is new in them. */
  readonly foldMs: number;
  /** Null when the facts could not be read: unknown is not unchanged. */
  readonly facts: FactsSeen | null;
  /** Only where there is one: something that is compared is not captured. */
  readonly captureProblem?: CaptureProblem;
  /** Only where it was asked for, and is not as it should be. */
  readonly routeProblem?: RouteProblem;
}

export function createWindowActivities(deps: Deps) {
  const readRoute = routeReader(deps);
  const folds = new FoldCache(new FoldFiles(deps.stateDir), deps.windowMemory ?? WINDOW_MEMORY);
  return {
    /** Never throws for what it finds, only for what ends the generation (a lost slot or topic) or cancellation. Idempotent by number. */
    async runWindow(input: WindowInput): Promise<WindowResult> {
      const { ref } = input;
      const { workflowExecution, activityId, attempt } = Context.current().info;
      const who: Attempt = { by: `${workflowExecution?.runId ?? 'none'}/${activityId}`, attempt };
      const begun = await beginWindow<Measurement>(deps.ledger, ref, input.number, who);
      if (begun.answered) return begun.answered;
      const { number } = begun;
      const heartbeat = throttled();
      const started = Date.now();
      const measured = await alive(() =>
        folds.exclusive(ref, () => measure(deps, folds, { ...input, number }, heartbeat)),
      );
      const problem = input.watchesRoute
        ? await alive(() => routeProblem(readRoute, planned(ref)))
        : null;
      return endWindow(deps.ledger, ref, recordOf(input, number, started, measured, problem), who);
    },

    /** What evidence rests on, read now (for the recheck before the cut-over). */
    async readFacts(ref: MigrationRef, since: string | null): Promise<FactsSeen> {
      return seeFacts(deps.ledger, ref, (await readFacts(deps, ref)).facts, since);
    },

    /** Frees the memory, and removes the state files, that a migration's windows held on this worker. */
    async dropFolds(ref: MigrationRef): Promise<void> {
      await folds.forget(ref);
    },
  };
}

function recordOf(
  { ref, brokenGlass }: WindowInput,
  number: number,
  started: number,
  { subjects, lag, facts, batchAge, captureProblem }: Measured,
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
    evidence: evidenceOf(ref, subjects, facts?.digest ?? null, brokenGlass),
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
      foldMs,
      ...(captureProblem ? { captureProblem } : {}),
      ...(problem ? { routeProblem: problem } : {}),
    },
  };
}

interface Measured {
  readonly subjects: SubjectResult[];
  readonly lag: Lag;
  readonly facts: FactsSeen | null;
  readonly captureProblem?: CaptureProblem;
  readonly batchAge: BatchAge | null;
}

async function measure(
  deps: Deps,
  folds: FoldCache,
  { ref, number, roundsMs, isFull, since }: WindowInput,
  heartbeat: () => void,
): Promise<Measured> {
  const started = Date.now();
  try {
    const { facts: before, problem } = await readFacts(deps, ref);
    const seen = await seeFacts(deps.ledger, ref, before, since);
    if (problem)
      return {
        ...unproven(ref, { verdict: 'inconclusive', reason: problem.detail }, started),
        facts: seen,
        captureProblem: problem,
      };
    const tables = await compareTables(
      deps,
      folds,
      ref,
      { number, isFull: isFull || seen.change !== null },
      heartbeat,
    );
    const result = await compareResult(deps, folds, ref, Date.now() + roundsMs, heartbeat);
    const { facts: after } = await readFacts(deps, ref);
    const subjects = [...tables.subjects, ...result.subjects].map((s) =>
      voidedBy(before, after, s),
    );
    const log = runLogOf(ref.spec.spec.batch);
    const age = log
      ? await withSource(ref.spec, deps.secret, (client) => batchAge(client, log)).catch(() => null)
      : null; // no proof rests on it
    const facts = await seeFacts(deps.ledger, ref, after, since);
    return {
      subjects,
      facts,
      batchAge: age,
      lag: await measureLag(deps, ref, result.pathMs ?? tables.barrierMs),
    };
  } catch (error) {
    if (Context.current().cancellationSignal.aborted) throw error;
    folds.drop(ref); // half-read folds prove nothing
    deps.systems.renew();
    const problem = classify(error);
    if (ENDS_GENERATION.includes(problem.code)) throw problem;
    return {
      ...unproven(
        ref,
        {
          verdict: 'errored',
          reason:
            problem.code === 'permission-denied'
              ? `${problem.message}: ${problem.remedy}`
              : problem.message,
        },
        started,
      ),
      facts: null,
    };
  }
}

/** Nothing was compared. */
function unproven(ref: MigrationRef, verdict: Verdict, started: number): Omit<Measured, 'facts'> {
  return {
    subjects: subjectsOf(ref.spec).map(({ subject, mode }) =>
      unmeasured(subject, mode, verdict, null, Date.now() - started),
    ),
    lag: { bytes: null, records: null, ms: null },
    batchAge: null,
  };
}

/** What passed while the facts changed did not pass: rows may have been read before, and records after the change. */
function voidedBy(before: Facts, after: Facts, subject: SubjectResult): SubjectResult {
  const change = factsChange(before, after);
  if (!change || subject.verdict.verdict !== 'passed') return subject;
  const reason = `changed during the window: ${[change.epoch, change.fullWindow].filter((part) => part !== null).join('; ')}`;
  return { ...subject, verdict: { verdict: 'inconclusive', reason } };
}

const prefixed = (s: SubjectResult): Verdict => ({
  verdict: s.verdict.verdict,
  reason: `${s.subject}: ${s.verdict.reason}`,
});

async function measureLag(deps: Deps, ref: MigrationRef, pathMs: number | null): Promise<Lag> {
  const bytes = pollingOf(ref.spec)
    ? null
    : await withSource(ref.spec, deps.secret, async (client) =>
        lsnDistance(await confirmedPosition(client, ref), await insertLsn(client)),
      );
  const { pipeline, sink } = ref.spec.spec;
  if (!pipeline) return { bytes, records: null, ms: pathMs };
  const kafka = deps.systems.kafka(ref.spec);
  const existing = await kafka.listTopics();
  let records = 0;
  for (const group of [
    ...(await pipelineGroups(ref)),
    ...(sink ? [sinkGroup(ref.spec, ref.generation)] : []),
  ]) {
    for (const [topic, partitions] of await kafka.groupOffsets(group)) {
      if (!existing.includes(topic)) continue;
      const ends = await kafka.offsets(topic).catch((error: unknown) => {
        if (error instanceof TopicLost) return []; // the pipeline's own, gone since they were listed: no lag there
        throw error;
      });
      for (const { partition, high } of ends)
        records += Math.max(0, high - (partitions.get(partition) ?? high));
    }
  }
  return { bytes, records, ms: pathMs };
}

function throttled(): () => void {
  let last = 0;
  return () => {
    const now = Date.now();
    if (now - last < 500) return;
    last = now;
    beat();
  };
}
