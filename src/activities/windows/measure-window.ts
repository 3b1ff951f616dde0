// Measures one window. It compares tables and results. Before and after that, it reads the facts,
// which are the settings and states on which the comparison depends. It also measures the lag of
// the stream.
import { Context } from '@temporalio/activity';
import { standingFacts } from '../../clients/ledger/facts-by-digest.js';
import type { CaptureProblem } from '../../domain/capture/captured-set.js';
import type { FactsSeen } from '../../domain/evidence/epoch.js';
import { ENDS_GENERATION, type Problem } from '../../domain/failure.js';
import type { Lag } from '../../domain/evidence/ledger-rows.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { confirmedPosition } from '../barrier/connector-acknowledged.js';
import { TopicLost } from '../../clients/kafka/kafka.js';
import { withSource } from '../../clients/postgres/connection.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { pipelineGroups } from '../pipelines/index.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { lsnDistance } from '../../domain/values/position.js';
import {
  restartedDuring,
  voidedBy,
  withCauseOfFull,
} from '../../domain/evidence/restart-in-window.js';
import { type Verdict } from '../../domain/evidence/verdict.js';
import type { BatchAge } from '../../domain/evidence/freshness-and-cost.js';
import { classify } from '../runtime/application-failure.js';
import type { WindowSession, Witnessing } from './session.js';
import { restedResults } from './results/recent-results.js';
import { isHearing } from './witness/witness-of-window.js';
import { tombstonesKept } from './folds/tombstones.js';
import { readFacts } from './pipeline-facts.js';
import { batchAge } from './batch-age.js';
import { compareResult } from './results/compare-results.js';
import type { WitnessUse } from './tables/compare-one-table.js';
import { compareTables, type TablesCost } from './tables/compare-tables.js';
import { unmeasured, type SubjectOutcome } from './subject-outcome.js';

/** The measurements of a window. The ledger does not have them yet. */
export interface Measured {
  readonly subjects: SubjectOutcome[];
  readonly lag: Lag;
  readonly facts: FactsSeen | null;
  /**
   * The part that restarted. Set only if this restart is the only reason why the window proves
   * nothing.
   */
  readonly restarted?: string;
  readonly captureProblem?: CaptureProblem;
  readonly batchAge: BatchAge | null;
  /** Null if the window did not compare the tables exactly. */
  readonly tables: TablesCost | null;
  readonly witness?: WitnessUse;
}

/**
 * Measures one window. Throws only on cancellation, or for a problem that ends the generation, such
 * as a lost slot. `since` is the digest of the facts that the earlier evidence depends on.
 */
export async function measure(session: WindowSession, since: string | null): Promise<Measured> {
  const { deps, ref, plan } = session;
  const started = Date.now();
  try {
    // without this refresh, a partition that was just added would not be read
    await session.kafka.refresh();
    const [{ facts: before, problem }, keptMs] = await Promise.all([
      readFacts(deps, session),
      tombstonesKept(session.kafka, plan),
    ]);
    session.folds.dropOld(ref, keptMs);
    const first = await standingFacts(deps.ledger, ref, before, since);
    const { seen } = first;
    if (problem)
      return {
        ...unproven(plan, { verdict: 'inconclusive', reason: problem.detail }, started),
        facts: seen,
        captureProblem: problem,
      };
    const isFull = session.isFull || seen.change !== null;
    const witness = witnessUnless(session.witness, seen.change);
    const tables = await compareTables({ ...session, isFull, witness });
    const result = session.restsOn
      ? restedResults(plan, session.restsOn, seen.change)
      : await compareResult(session);
    const [{ facts: after }, ageOfResult, lag] = await Promise.all([
      readFacts(deps, session),
      ageOfBatch(session),
      measureLag(session, result.pathMs ?? tables.barrierMs),
    ]);
    const last = await standingFacts(deps.ledger, ref, after, since);
    const ofTables = tables.subjects.map((s) => ({
      ...s,
      verdict: withCauseOfFull(s.verdict, seen.change),
    }));
    const subjects = [...ofTables, ...result.subjects].map((s) => ({
      ...s,
      verdict: voidedBy(s.verdict, { before, after }),
    }));
    const restarted = last.seen.change?.epoch
      ? null
      : restartedDuring(
          { before, after },
          { before: first.facts, after: last.facts },
          subjects.map(({ verdict: { verdict }, counts }) => ({
            verdict,
            unknown: counts?.unknown ?? 0,
          })),
        );
    return {
      subjects,
      facts: last.seen,
      ...(restarted === null ? {} : { restarted }),
      batchAge: ageOfResult,
      tables: tables.cost,
      ...(tables.witness ? { witness: tables.witness } : {}),
      lag,
    };
  } catch (error) {
    // A fold that was read only in part proves nothing, so the next attempt must not find it.
    session.folds.drop(ref);
    if (Context.current().cancellationSignal.aborted) throw error;
    deps.systems.renew(plan);
    const { code, message, remedy } = endsGeneration(classify(error));
    const reason = code === 'permission-denied' ? `${message}: ${remedy}` : message;
    return { ...unproven(plan, { verdict: 'errored', reason }, started), facts: null };
  }
}

/** Refuses the witness if a fact has changed since the full pass that began the witness. */
function witnessUnless(
  witness: Witnessing | undefined,
  change: FactsSeen['change'],
): Witnessing | undefined {
  if (!witness || !isHearing(witness.role) || change === null) return witness;
  const facts = Object.values(change).filter((text) => typeof text === 'string');
  const refused = `changed since the full pass: ${facts.join('; ')}`;
  return { ...witness, role: { ...witness.role, refused } };
}

/** Returns the problem, or throws it if it ends the generation. */
function endsGeneration(problem: Problem): Problem {
  if (ENDS_GENERATION.includes(problem.code)) throw problem;
  return problem;
}

/**
 * Returns the age of the batch's result. Returns null if there is no run log, or if the run log
 * cannot be read. No proof depends on this age.
 */
async function ageOfBatch({ deps, plan }: WindowSession): Promise<BatchAge | null> {
  const log = plan.batch?.runLog;
  if (!log) return null;
  return withTarget(plan, deps.secret, (client) => batchAge(client, log)).catch(() => null);
}

/** Builds the result of a window that compared nothing. */
function unproven(plan: ResolvedPlan, verdict: Verdict, started: number): Omit<Measured, 'facts'> {
  return {
    subjects: plan.subjects.map(({ subject, mode }) =>
      unmeasured(subject, mode, verdict, null, Date.now() - started),
    ),
    lag: { bytes: null, records: null, ms: null },
    batchAge: null,
    tables: null,
  };
}

async function measureLag(
  { deps, plan, kafka }: WindowSession,
  pathMs: number | null,
): Promise<Lag> {
  const bytes = plan.capture.readsSlot
    ? await withSource(plan, deps.secret, async (client) =>
        lsnDistance(await confirmedPosition(client, plan), await insertLsn(client)),
      )
    : null;
  if (!plan.spec.pipeline) return { bytes, records: null, ms: pathMs };
  const existing = await kafka.listTopics();
  let records = 0;
  for (const group of [...(await pipelineGroups(plan)), ...(plan.sink ? [plan.sink.group] : [])]) {
    for (const [topic, partitions] of await kafka.groupOffsets(group)) {
      if (!existing.includes(topic)) continue;
      const ends = await kafka.offsets(topic).catch((error: unknown) => {
        // A topic of the pipeline may disappear after it was listed. Such a topic has no lag.
        if (error instanceof TopicLost) return [];
        throw error;
      });
      for (const { partition, high } of ends)
        records += Math.max(0, high - (partitions.get(partition) ?? high));
    }
  }
  return { bytes, records, ms: pathMs };
}
