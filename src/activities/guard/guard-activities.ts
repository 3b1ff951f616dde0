// Implements the guard, a loop that runs alongside every phase from `snapshot` to the hand-over,
// even while the run is blocked or paused. It restarts failed connector tasks up to a limit, and
// resumes a connector that a window left paused. It also watches the connectors, the slot and the
// WAL that the slot retains.
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { isTuning } from '../../connectors/allowlist.js';
import { KINDS } from '../../domain/objects/kinds.js';
import type { ConnectorTrouble } from '../../domain/capture/connector-trouble.js';
import { driftFrom, driftOf, taskFailure } from '../capture/connectors/connector-state.js';
import { sinkConfig } from '../capture/connectors/current-sink.js';
import type { Deps } from '../runtime/deps.js';
import { beat, pause } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { watchSlot, type SlotReport } from './slot-watch.js';
import { ConnectorWatch, type WatchedConnector } from './connector-watch.js';
import { isMade } from './made-connector.js';
import { sourceConnectorConfigs } from '../capture/connectors/source-connectors.js';
import { endOverduePause, withoutWindowPauses } from '../capture/connectors/connector-pause.js';

export type GuardReport =
  /** This migration no longer owns any objects, so there is nothing to watch. */
  | { readonly kind: 'stood-down' }
  /** All current problems of connectors. */
  | { readonly kind: 'connectors'; readonly troubles: readonly ConnectorTrouble[] }
  | { readonly kind: 'restarted'; readonly connector: string; readonly cause: string }
  /**
   * The guard resumed this connector. A window had paused it, and did not resume it in time.
   */
  | { readonly kind: 'resumed'; readonly connector: string }
  | {
      readonly kind: 'gave-up';
      readonly connector: string;
      readonly cause: string;
      readonly restarts: number;
    }
  | SlotReport;

export interface GuardInput {
  readonly ref: MigrationRef;
  /**
   * For each connector, the number of times that the guard has restarted its task in quick
   * succession.
   */
  readonly restarts: Readonly<Record<string, number>>;
  /**
   * True if the slot was seen earlier, so that a missing slot counts as lost. False if the slot may
   * not exist yet.
   */
  readonly slotExpected: boolean;
  readonly alarmed: boolean;
  /** The connector problems that the run already knows. */
  readonly troubles: readonly ConnectorTrouble[];
}

const POLL_MS = 1000;
const SLOW_POLL_EVERY = 5;
const MAX_RESTARTS = 30;

export function createGuardActivities(deps: Deps) {
  return withPlan({
    /**
     * Polls until there is something to report, and returns the report. Ignores systems that do not
     * answer, because barriers report them.
     */
    async guard(input: GuardInput & Planned): Promise<GuardReport> {
      const watch = new ConnectorWatch(withoutWindowPauses(deps, input), input.troubles);
      const givenUp = new Set<string>();
      for (let round = 0; ; round += 1) {
        const report =
          (await restartFailed(deps, input, givenUp)) ??
          (await endPause(deps, input)) ??
          (round % SLOW_POLL_EVERY === 0 ? await lookAround(deps, input, watch) : null);
        if (report) return report;
        await pause(POLL_MS);
      }
    },
  });
}

/**
 * Restarts the failed task of one connector, up to the limit. Adds a connector whose restarts have
 * reached the limit to `givenUp`. Restarts only connectors that this migration created, and none
 * while the ledger does not answer.
 */
async function restartFailed(
  deps: Deps,
  input: GuardInput & Planned,
  givenUp: Set<string>,
): Promise<GuardReport | null> {
  const { plan, restarts } = input;
  const rest = deps.systems.connect(plan);
  // an adopted connector is never restarted; `lookAround` reports its failed task
  const sources = plan.capture.isAdopted ? [] : plan.sourceConnectors;
  for (const connector of [...sources, ...(plan.sink ? [plan.sink.connector] : [])]) {
    const cause = await taskFailure(rest, connector).catch(() => null);
    if (cause === null || givenUp.has(connector)) continue;
    if (!(await isMade(deps, input, connector).catch(() => false))) continue;
    const count = restarts[connector] ?? 0;
    if (count >= MAX_RESTARTS) {
      givenUp.add(connector);
      if (count === MAX_RESTARTS) return { kind: 'gave-up', connector, cause, restarts: count };
      continue;
    }
    // the wait before each restart of the same connector grows, up to half a minute
    await pause(Math.min(30_000, 250 * 2 ** Math.min(count, 7)));
    await rest.restartFailed(connector).catch(() => undefined);
    return { kind: 'restarted', connector, cause };
  }
  return null;
}

/** Resumes a connector that a window paused and did not resume in time. */
async function endPause(deps: Deps, run: Planned): Promise<GuardReport | null> {
  const connector = await endOverduePause(deps, run).catch(() => null);
  return connector === null ? null : { kind: 'resumed', connector };
}

/**
 * Checks the connectors and the slot of this migration, and whether the migration still owns any
 * objects.
 */
async function lookAround(
  deps: Deps,
  input: GuardInput & Planned,
  watch: ConnectorWatch,
): Promise<GuardReport | null> {
  const news = await ours(deps, input)
    .then((made) => watch.look(made, Date.now()))
    .catch(() => null);
  if (news) return { kind: 'connectors', troubles: news };
  if (await ownsNothing(deps, input).catch(() => false)) return { kind: 'stood-down' };
  if (!input.plan.capture.readsSlot) return null;
  const hooks = { wait: pause, retained: (bytes: number) => report(deps, input, bytes) };
  return watchSlot(deps, input, hooks).catch((error: unknown) =>
    error instanceof Problem && error.code === 'slot-lost'
      ? { kind: 'slot-lost' as const, detail: error.message }
      : null,
  );
}

/**
 * Returns whether the migration has removed or handed over everything. Every migration creates its
 * lease row first. A ledger that does not list this row was restored from a backup and lacks
 * entries, so the answer is false.
 */
async function ownsNothing({ ledger }: Deps, { ref, plan }: Planned): Promise<boolean> {
  if ((await ledger.openObjects(ref.name)).length > 0) return false;
  const leases = KINDS.lease.planned(plan).map((lease) => ledger.objectState(ref, lease));
  return !(await Promise.all(leases)).includes(null);
}

/** Returns the connectors that this migration adopted, or that it created and has not removed. */
async function ours(deps: Deps, run: Planned): Promise<WatchedConnector[]> {
  const { plan } = run;
  const { connector: spec } = plan.spec;
  const wanted: WatchedConnector[] = [];
  for (const one of await sourceConnectorConfigs(deps, plan))
    wanted.push({
      name: one.name,
      planned: one.config,
      driftOf: (stored) => driftFrom(one, stored),
      captures: (key) => !isTuning(spec, key),
      isAdopted: one.unfit !== undefined,
    });
  if (plan.sink) {
    const config = await sinkConfig(deps, run);
    wanted.push({
      name: plan.sink.connector,
      planned: config,
      driftOf: (stored) => driftOf(config, stored),
      captures: () => false,
    });
  }
  const made: WatchedConnector[] = [];
  for (const one of wanted)
    if (one.isAdopted || (await isMade(deps, run, one.name))) made.push(one);
  return made;
}

function report({ gauges }: Deps, { ref, plan }: Planned, retainedBytes: number): void {
  gauges?.walRetained(ref.name, retainedBytes, plan.spec.source.walBudget.bytes);
  beat({ retainedBytes });
}
