// Runs the preflight checks for the phase `prepare` and for `doctor`. (cli/doctor.ts itself checks
// Temporal and the ledger.)
import { Context } from '@temporalio/activity';
import { applyWaivers, isReached, type Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Ledger } from '../../clients/ledger/ledger.js';
import { checkBatch } from './batch-checks.js';
import { checkCompareNames } from './compared-column-names.js';
import { checkEngine } from './engine-checks.js';
import { checkGroups, checkPipeline } from './pipeline-checks.js';
import { adapterOf } from '../capture/index.js';
import { checkRegistry } from './registry-checks.js';
import { checkSource } from './source-checks.js';
import { checkNotHeld } from './adoption-checks.js';
import { checkNamesFree, ledgerKnows } from './names-free.js';
import { checkConnect, checkKafka } from './kafka-and-connect-checks.js';
import type { Deps } from '../runtime/deps.js';
import { checkTarget } from './target-checks.js';
import { hasTarget } from '../../domain/migration/databases.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

/**
 * Runs the checks, read-only, and applies the spec's waivers. Leaves out the checks that need a
 * database or a broker that does not answer. A failed check returns a finding; it does not throw.
 * `now` is an ISO time.
 */
export async function runPreflight(
  deps: Pick<Deps, 'secret' | 'systems'>,
  ledger: Ledger | undefined,
  plan: ResolvedPlan,
  now: string,
): Promise<Check[]> {
  const asking = { ...deps, plan };
  const isOwned = ledgerKnows(ledger, plan.metadata.name);
  const source = await checkSource(deps, plan);
  const reachable = isReached(source, 'source');
  const target = await checkTarget(deps, plan);
  const bothReachable = reachable && (!hasTarget(plan) || isReached(target, 'target'));
  const kafka = await checkKafka(asking, isOwned);
  const checks = [
    ...source,
    ...(bothReachable ? await checkNamesFree(asking, isOwned) : []),
    ...(reachable ? await adapterOf(plan).checks(deps, plan, plan.capture) : []),
    ...target,
    ...(await checkNotHeld(ledger, plan)),
    ...(bothReachable ? await checkBatch(deps, plan) : []),
    ...(reachable ? await checkCompareNames(deps, plan) : []),
    ...kafka,
    ...(await checkConnect(asking, isOwned)),
    ...(await checkRegistry(asking, reachable)),
    ...(await checkPipeline(asking, isOwned)),
    ...(isReached(kafka, 'kafka') ? await checkGroups(deps, plan) : []),
    ...(await checkEngine(asking)),
  ];
  return applyWaivers(checks, plan.spec.validation.waivers, now);
}

export function createPreflightActivities(deps: Deps) {
  return withPlan({
    /** Returns the findings. The workflow decides whether they block. */
    async preflight({ plan }: Planned): Promise<Check[]> {
      // by Temporal's clock, because the worker's clock may be wrong
      const now = new Date(Context.current().info.currentAttemptScheduledTimestampMs);
      return runPreflight(deps, deps.ledger, plan, now.toISOString());
    },
  });
}
