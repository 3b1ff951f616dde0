// Provides fake activities that record their calls. Those that a migration needs succeed at once. A
// workflow test replaces the activities that matter to it.
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Activities } from '../../src/activities/index.js';
import type { WindowResult } from '../../src/activities/windows/window-activities.js';
import type { CaptureProblem } from '../../src/domain/capture/captured-set.js';
import { factsChange, type Facts, type FactsSeen } from '../../src/domain/evidence/epoch.js';
import type { FailureCode } from '../../src/domain/failure.js';
import type { VerdictName } from '../../src/domain/evidence/verdict.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';

export interface Fakes {
  readonly activities: Activities;
  /** Names of activities in call order, without guard and record. */
  readonly calls: string[];
  /** The verdicts of the next windows. If the list is empty, windows pass. */
  readonly verdicts: VerdictName[];
  /** The facts that windows and the recheck read. */
  facts: Facts;
  /** Descriptions of the restarts during the next windows. Each such window is inconclusive. */
  readonly duringWindows: string[];
  /** The numbers of the windows that read every row. */
  readonly full: number[];
  /** The parts that are not running, as the recheck finds them. Null if all are running. */
  stopped: string | null;
  /** The problem that the next windows find. Null means that all compared rows are captured. */
  captureProblem: CaptureProblem | null;
  /** True from the commit until consumers are routed back. */
  switched: boolean;
}

export const failure = (code: FailureCode, detail: string): ApplicationFailure =>
  ApplicationFailure.create({
    message: detail,
    type: code,
    nonRetryable: true,
    details: [{ code, detail, remedy: 'fix it' }],
  });

/** Returns the facts as an activity reports them. Their digest is their JSON. */
const seen = (facts: Facts, since: string | null): FactsSeen => ({
  digest: JSON.stringify(facts),
  change: since === null ? null : factsChange(JSON.parse(since) as Facts, facts),
});

/** Stands for an activity that fails unless the test provides its own fake of it. */
const notFaked = (): Promise<never> =>
  Promise.reject(failure('unexpected', 'no fake of this activity'));

export function fakes(overrides: Partial<Activities> = {}): Fakes {
  const fake: Fakes = {
    activities: undefined as unknown as Activities,
    calls: [],
    verdicts: [],
    facts: {
      'connector task': 'walsender 1',
      'connector version': 'debezium 3',
      'connector config': 'as planned',
    },
    duringWindows: [],
    full: [],
    stopped: null,
    captureProblem: null,
    switched: false,
  };
  const nothing = (): Promise<void> => Promise.resolve();
  const removed = (): Promise<boolean> => Promise.resolve(false);
  const base: Activities = {
    openMigration: ({ input }) => {
      const parsed = parseSpecObject(input);
      if (!parsed.ok)
        throw failure('spec-invalid', parsed.problems.map((p) => p.message).join('; '));
      return Promise.resolve({
        spec: parsed.spec,
        planHash: 'abcdef0123',
        iteration: 1,
        generation: 1,
      });
    },
    readEdit: ({ input }) => {
      const parsed = parseSpecObject(input);
      return Promise.resolve(
        parsed.ok
          ? { refused: null, spec: parsed.spec, planHash: planHash(parsed.spec) }
          : { refused: parsed.problems.map((p) => p.message).join('; ') },
      );
    },
    preflight: () => Promise.resolve([]),
    adoptObjects: () => Promise.resolve([]),
    releaseAdopted: () => Promise.resolve([]),
    takeBaseline: () =>
      Promise.resolve({
        lsn: '0/1',
        server: 's/1',
        tables: [{ table: 'public.accounts', rows: 1, bytes: 1, fingerprint: 'f' }],
      }),
    watchPolled: () =>
      Promise.resolve([{ table: 'public.accounts', rowsScanned: 1, rowsTotal: 1 }]),
    repeatOverwritten: () => Promise.resolve(0),
    watchSnapshot: () =>
      Promise.resolve([{ table: 'public.accounts', rowsScanned: 1, rowsTotal: 1 }]),
    identifySlot: () => Promise.resolve({ restartLsn: '0/1', confirmedLsn: '0/1' }),
    catchUp: () => Promise.resolve({ lsn: '0/2', ms: 5 }),
    drainTo: () =>
      Promise.resolve({
        reason: null,
        proofs: [{ part: 'P2', holds: 'the connector acknowledged 0/4, which is at or after 0/3' }],
      }),
    readFacts: (_run, since) =>
      Promise.resolve({
        ...seen(fake.facts, since),
        ...(fake.stopped === null ? {} : { stopped: fake.stopped }),
      }),
    activeBatchRun: () => Promise.resolve(null),
    readersOfBatch: () => Promise.resolve([]),
    markReaders: () => Promise.resolve({ at: '2026-01-01T00:00:00Z', calls: {} }),
    fence: () => Promise.resolve({ lsn: '0/3', refused: null }),
    commitCutover: () => {
      fake.switched = true;
      return Promise.resolve({ refused: null });
    },
    releaseFence: () => Promise.resolve({ committed: false }),
    isSwitched: () => Promise.resolve(fake.switched),
    routeBack: () => {
      fake.switched = false;
      return Promise.resolve();
    },
    observeRoute: () =>
      Promise.resolve({
        side: fake.switched ? 'stream' : 'batch',
        observedAt: '2026-01-01T00:00:00Z',
      }),
    handOver: (_ref, kept) => Promise.resolve(kept.map(({ kind, name }) => ({ kind, name }))),
    listLeftovers: () => Promise.resolve([]),
    listOwned: () => Promise.resolve({ objects: [], handedOver: [], hasCompleted: false }),
    // a guard that keeps watching would stop the test server from skipping time
    guard: () => Promise.resolve({ kind: 'stood-down' }),
    runWindow: ({ number, since, isFull }): Promise<WindowResult> => {
      const restarted = fake.duringWindows.shift();
      const isUnproven = fake.captureProblem !== null || restarted !== undefined;
      const verdict = isUnproven ? 'inconclusive' : (fake.verdicts.shift() ?? 'passed');
      const facts = verdict === 'errored' ? null : seen(fake.facts, since);
      if (isFull || facts?.change) fake.full.push(number);
      const at = new Date(Context.current().info.scheduledTimestampMs).toISOString();
      return Promise.resolve({
        number,
        chain: `chain of ${number}`,
        verdict: { verdict, reason: verdict },
        rows: [],
        matched: 1,
        compared: 1,
        comparedNow: 1,
        at,
        lag: { bytes: 0, records: null, ms: 3 },
        foldMs: 0,
        tookMs: 0,
        tables: null,
        facts,
        ...(restarted === undefined ? {} : { restarted }),
        ...(fake.captureProblem ? { captureProblem: fake.captureProblem } : {}),
      });
    },
    copyTables: () => Promise.resolve([{ table: 'public.accounts', rowsScanned: 1, rowsTotal: 1 }]),
    ensureSinkTable: () => Promise.resolve(null),
    record: nothing,
    ensureLease: nothing,
    removeLease: removed,
    ensurePublication: nothing,
    removePublication: removed,
    claimSlot: nothing,
    ensureSlot: nothing,
    removeSlot: removed,
    removeSinkTable: removed,
    ensureTopics: nothing,
    removeTopic: removed,
    removeGroup: removed,
    removeTrigger: removed,
    orderRoute: nothing,
    proveRoute: nothing,
    pipelineHasMoved: nothing,
    ensurePipeline: nothing,
    removeJob: removed,
    ensureConnector: nothing,
    resumeConnector: nothing,
    handOverConnector: nothing,
    removeConnector: removed,
    claimGroup: nothing,
    untilNoBatchRun: nothing,
    findHoldSlot: nothing,
    batchAction: nothing,
    dropFolds: nothing,
    pauseSink: nothing,
    moveSink: nothing,
    retireRole: nothing,
    verifyToken: notFaked,
    endAttempts: () => Promise.resolve({ committed: fake.switched }),
    openRun: notFaked,
    recordSweep: notFaked,
    openProof: notFaked,
    replaySlice: notFaked,
    awaitPipeline: notFaked,
    compareSlice: notFaked,
    removeProof: notFaked,
    recordProof: notFaked,
  };
  const recorded = Object.entries({ ...base, ...overrides }).map(([name, run]) => [
    name,
    (...args: never[]) => {
      if (name !== 'guard' && name !== 'record') fake.calls.push(name);
      return (run as (...args: never[]) => Promise<unknown>)(...args);
    },
  ]);
  return Object.assign(fake, { activities: Object.fromEntries(recorded) as Activities });
}
