// All preflight checks, as `doctor` and the prepare phase run them.
import { applyWaivers, type Check } from '../domain/check.js';
import type { MigrationRef } from '../domain/ledger.js';
import type { MigrationSpec } from '../domain/spec.js';
import type { Ledger } from '../clients/ledger.js';
import { checkBatch } from './checks/batch.js';
import { checkCompareNames } from './checks/compare-names.js';
import { checkEngine, checkGroups, checkPipeline } from './checks/pipeline.js';
import { checkPolling } from './checks/polling.js';
import { checkSource } from './checks/source.js';
import { checkConnect, checkKafka, checkNamesFree, ledgerKnows } from './checks/streaming.js';
import type { Deps } from './deps.js';
import { alive } from './patience.js';

/** Reads only. Waivers applied; nothing thrown for what a check found. */
export async function runPreflight(
  deps: Pick<Deps, 'secret' | 'systems'>,
  ledger: Ledger | undefined,
  spec: MigrationSpec,
  generation: number,
  now: string,
): Promise<Check[]> {
  const isOurs = ledgerKnows(ledger, spec.metadata.name);
  const source = await checkSource(deps, spec);
  const reachable = source.some((c) => c.name === 'source.reachable' && c.status === 'passed');
  const kafka = await checkKafka(deps, spec, generation, isOurs);
  const checks = [
    ...source,
    ...(reachable ? await checkNamesFree(deps, spec, generation, isOurs) : []),
    ...(reachable ? await checkPolling(deps, spec) : []),
    ...(reachable ? await checkBatch(deps, spec) : []),
    ...(reachable ? await checkCompareNames(deps, spec) : []),
    ...kafka,
    ...(await checkConnect(deps, spec, generation, isOurs)),
    ...(await checkPipeline(spec, generation, isOurs)),
    ...(kafka.some((c) => c.name === 'kafka.reachable' && c.status === 'passed') ? await checkGroups(deps, spec) : []),
    ...(await checkEngine(spec)),
  ];
  return applyWaivers(checks, spec.spec.validation.waivers, now);
}

export function createPreflightActivities(deps: Deps) {
  return {
    /** Findings only; judging them is the workflow's part. */
    async preflight(ref: MigrationRef): Promise<Check[]> {
      return alive(() => runPreflight(deps, deps.ledger, ref.spec, ref.generation, new Date().toISOString())); // it runs the batch's query
    },
  };
}
