// Compares tables with topics that an existing connector writes, without a migration. This code
// creates no slot, topic, consumer group or ledger row. It only reads Postgres and Kafka, apart
// from markers in the WAL, which the caller must allow.
import { qualifyNames, readCapturedTable } from '../../../clients/postgres/captured-catalog.js';
import { readSource, type SourceClient } from '../../../clients/postgres/connection.js';
import { tableFacts } from '../../../domain/capture/captured-set.js';
import type {
  ExistingBarrier,
  SubjectDifference,
} from '../../../domain/evidence/comparison-document.js';
import { factsChange, type Facts } from '../../../domain/evidence/epoch.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import { worst, type Verdict, judgeComparison } from '../../../domain/evidence/verdict.js';
import { type WindowRow } from '../../../domain/evidence/window.js';
import { Problem } from '../../../domain/failure.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import { comparisonPlan, type ComparisonPlan } from '../../../domain/plan/comparison-plan.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { planHash } from '../../../manifest/build-plan.js';
import { classify } from '../../runtime/application-failure.js';
import type { Deps } from '../../runtime/deps.js';
import { evidenceOf, type WindowEvidence } from '../evidence.js';
import { FoldFiles } from '../folds/fold-files.js';
import { FoldCache } from '../folds/folds.js';
import { BARRIER_LIMIT_MS } from '../../../domain/capture/capture.js';
import type { ReadingSession } from '../session.js';
import { toRow, unmeasured, type SubjectOutcome } from '../subject-outcome.js';
import { compareTables } from '../tables/compare-tables.js';
import { connectorProblem } from './existing-connector.js';
import { unreadable } from './readable.js';
import { barrierOf, markBy, withoutBarrier, type Patience } from './slot-barrier.js';

export type ComparisonDeps = Pick<
  Deps,
  'secret' | 'systems' | 'stateDir' | 'windowMemory' | 'snapshotBytes'
>;

export interface ComparedOnly {
  readonly verdict: Verdict;
  readonly barrier: ExistingBarrier;
  /** The result of each table, in the form in which a window records it. */
  readonly rows: readonly WindowRow[];
  readonly differences: readonly SubjectDifference[];
  readonly evidence: WindowEvidence;
}

/** The longest time (ms) that a comparison waits for the slot. Every window has this limit. */
export const LONGEST_WAIT_MS = BARRIER_LIMIT_MS;

/** The number of bytes that the key tables may use, if the caller sets no other limit. */
const MEMORY = 2 ** 30;

/**
 * Compares every table of a spec. `patience` limits the wait for the slot. Throws a Problem if a
 * system does not answer or refuses the login. A problem of a table, a topic or the slot becomes a
 * verdict.
 */
export async function compareOnly(
  deps: ComparisonDeps,
  spec: MigrationSpec,
  patience: Patience,
): Promise<ComparedOnly> {
  const { plan, ...existing } = comparisonPlan(spec);
  const name = spec.metadata.name;
  const ref: MigrationRef = {
    name,
    iteration: 1,
    generation: 1,
    workflowId: '',
    runKey: `compare-${process.pid}`,
    planHash: planHash(spec),
    spec,
  };
  const session: ReadingSession = {
    deps,
    ref,
    plan,
    kafka: deps.systems.kafka(plan),
    folds: new FoldCache(new FoldFiles(deps.stateDir), deps.windowMemory ?? MEMORY),
    number: 1,
    isFull: true,
    roundsMs: 0,
    heartbeat: () => undefined,
  };
  const { barrier, subjects } = await compared(session, existing, patience).catch(
    (error: unknown) => {
      throw readable(classify(error));
    },
  );
  const at = new Date().toISOString();
  return {
    verdict: worst(
      subjects.map(({ subject, verdict }) => ({
        verdict: verdict.verdict,
        reason: `${subject}: ${verdict.reason}`,
      })),
    ),
    barrier,
    rows: subjects.map((subject) => toRow(subject, 1, at)),
    differences: subjects.flatMap(({ subject, differences }) =>
      differences.map((difference) => ({ subject, ...difference })),
    ),
    evidence: evidenceOf(ref, subjects, null, { barrier }),
  };
}

/**
 * Returns the problem with a different remedy, because `sluice compare` has no run that a person
 * could retry.
 */
const readable = ({ code, message }: Problem): Problem =>
  new Problem(code, message, 'correct what the message names, then run sluice compare again');

interface Compared {
  readonly barrier: ExistingBarrier;
  readonly subjects: readonly SubjectOutcome[];
}

async function compared(
  session: ReadingSession,
  { slot, connector }: Omit<ComparisonPlan, 'plan'>,
  patience: Patience,
): Promise<Compared> {
  const { deps, plan, kafka } = session;
  const isNamed = plan.spec.existing?.slot !== undefined;
  const look = <T>(use: (client: SourceClient) => Promise<T>): Promise<T> =>
    readSource(plan, deps.secret, use);
  const { barrier, refused, before } = await look(async (client) => ({
    barrier: await barrierOf(client, slot, isNamed),
    refused: await unreadable(client, kafka, plan),
    before: await factsOf(client, plan),
  }));
  const used = 'unusable' in barrier ? withoutBarrier(barrier.unusable) : barrier;
  const broken =
    'unusable' in barrier
      ? barrier.unusable
      : connector && (await connectorProblem(deps.systems.connect(plan), plan, connector));
  if (broken) return { barrier: used, subjects: plan.tables.map(({ text }) => open(text, broken)) };
  const tables = plan.tables.filter(({ text }) => !refused.has(text));
  const results = await readTables({
    ...session,
    plan: { ...plan, tables },
    mark: markBy(used, patience),
  });
  const after = await look((client) => factsOf(client, plan));
  const judged = results.map((subject) => voided(before, after, judgedBy(used, subject)));
  return {
    barrier: used,
    subjects: plan.tables.map(
      ({ text }) =>
        judged.find(({ subject }) => subject === text) ?? open(text, refused.get(text)!),
    ),
  };
}

/**
 * Compares the tables. Throws if a system does not answer or denies access. For any other error,
 * such as a lost topic, returns the verdict `errored` for each table.
 */
async function readTables(session: ReadingSession): Promise<readonly SubjectOutcome[]> {
  const { tables } = session.plan;
  if (tables.length === 0) return [];
  try {
    return (await compareTables(session)).subjects;
  } catch (error) {
    const { code, message } = classify(error);
    if (code === 'unreachable' || code === 'permission-denied') throw error;
    return tables.map(({ text }) =>
      unmeasured(text, 'exact', { verdict: 'errored', reason: message }),
    );
  }
}

const open = (subject: string, reason: string): SubjectOutcome =>
  unmeasured(subject, 'exact', { verdict: 'inconclusive', reason });

/**
 * Reads the facts of each table. After a change of a fact, the rows or their form may be different,
 * too.
 */
async function factsOf(client: SourceClient, plan: ResolvedPlan): Promise<Facts> {
  await qualifyNames(client);
  const facts: Record<string, Facts[string]> = {};
  for (const { text } of plan.tables)
    Object.assign(facts, tableFacts(text, await readCapturedTable(client, text)));
  return facts;
}

/**
 * Makes a failed subject inconclusive if its differences are not proven. Without a slot, the
 * records of differing rows may still be in flight. Each unreadable record or row may also explain
 * one difference. If there are at least as many of them as differences, they may explain all
 * differences.
 */
export function judgedBy(barrier: ExistingBarrier, subject: SubjectOutcome): SubjectOutcome {
  const { counts, proofs, verdict } = subject;
  if (verdict.verdict !== 'failed' || !counts || !proofs) return subject;
  const differing = counts.mismatched + counts.missing + counts.extraneous;
  const why =
    barrier.kind === 'none'
      ? 'these rows may be in flight, because there is no slot'
      : counts.unknown >= differing
        ? `${counts.unknown} records or rows cannot be read, which may explain all ${differing} differences`
        : null;
  if (why === null) return subject;
  const unproven = { ...proofs, barrier: `${verdict.reason}; ${why}` };
  return { ...subject, proofs: unproven, verdict: judgeComparison(counts, unproven) };
}

function voided(before: Facts, after: Facts, subject: SubjectOutcome): SubjectOutcome {
  const change = factsChange(before, after);
  if (!change || subject.verdict.verdict === 'inconclusive') return subject;
  const reason = `changed during the comparison: ${[change.epoch, change.fullWindow].filter((part) => part !== null).join('; ')}`;
  return { ...subject, verdict: { verdict: 'inconclusive', reason } };
}
