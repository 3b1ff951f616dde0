// Reads the facts (settings and states) on which evidence depends, as text that can be compared. If
// a fact changes, a new epoch usually begins, and earlier windows no longer count. Some changes are
// harmless, such as the restart of a connector task, and only cost a full window. The rules are in
// domain/evidence/fact-rules.ts.
import { qualifyNames, readCapturedTable } from '../../clients/postgres/captured-catalog.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { withSource, type SourceClient } from '../../clients/postgres/connection.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { hasTarget } from '../../domain/migration/databases.js';
import {
  tableFacts,
  type CaptureProblem,
  type CapturedTable,
} from '../../domain/capture/captured-set.js';
import type { Facts, FactValue } from '../../domain/evidence/epoch.js';
import {
  configFact,
  groupFact,
  membersFact,
  versionFact,
} from '../../domain/evidence/fact-rules.js';
import { ADOPTED_REMEDIES } from '../../domain/capture/connector-trouble.js';
import { FAILURES } from '../../domain/failure.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { isTuning } from '../../connectors/allowlist.js';
import {
  MISSING,
  withPlanned,
  driftFrom,
  driftOf,
  storedConfig,
} from '../capture/connectors/connector-state.js';
import type { Deps } from '../runtime/deps.js';
import { shortDigest } from '../runtime/short-digest.js';
import type { Planned } from '../runtime/with-plan.js';
import { knownGroup } from '../../clients/kafka/group-readers.js';
import { hostOf, pipelineGroups } from '../pipelines/index.js';
import { sinkConfig } from '../capture/connectors/current-sink.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { adapterOf } from '../capture/index.js';
import { definitionFacts } from '../checks/queries/query-definitions.js';
import { sourceConnectorConfigs } from '../capture/connectors/source-connectors.js';
import { groupIdentity, membersOf, pluginVersion } from './part-identity.js';
import { topicFacts } from './topic-facts.js';

export interface FactsRead {
  readonly facts: Facts;
  /**
   * The reason why a comparison now would prove nothing about future changes. Null if the capture
   * covers everything that is compared.
   */
  readonly problem: CaptureProblem | null;
}

/**
 * Reads all facts. Throws if a fact cannot be read, because an unknown fact does not count as
 * unchanged.
 */
export async function readFacts(deps: Deps, { ref, plan }: Planned): Promise<FactsRead> {
  const { secret, systems } = deps;
  // All systems are asked at the same time, because the reading of facts under a fence makes the
  // hold longer.
  const [source, connectors, target, streaming] = await Promise.all([
    withSource(plan, secret, (client) => sourceFacts(client, plan)),
    connectorFacts(deps, { ref, plan }),
    hasTarget(plan) ? withTarget(plan, secret, serverIdentity) : null,
    streamingFacts(systems.kafka(plan), plan),
  ]);
  const facts: Record<string, FactValue> = { ...source.facts, ...connectors.facts, ...streaming };
  if (target !== null) facts['target server'] = target;
  return { facts, problem: source.problem ?? connectors.problem };
}

/** Reads the facts about groups, jobs and topics. */
async function streamingFacts(kafka: KafkaPort, plan: ResolvedPlan): Promise<Facts> {
  const facts: Record<string, FactValue> = {};
  if (plan.sink) {
    const group = await knownGroup(kafka, plan.sink.group);
    facts['members of sink group'] = membersOf(group);
    facts['sink group'] = groupIdentity(group);
  }
  for (const name of await pipelineGroups(plan)) {
    const group = await knownGroup(kafka, name);
    facts[membersFact(name)] = membersOf(group);
    facts[groupFact(name)] = groupIdentity(group);
  }
  return { ...facts, ...(await pipelineFacts(plan)), ...(await topicFacts(kafka, plan)) };
}

/**
 * Reads the facts of the source database: the server's identity, the definitions of tables, views
 * and functions, and the state of the capture.
 */
async function sourceFacts(client: SourceClient, plan: ResolvedPlan): Promise<FactsRead> {
  // This must precede `qualifyNames`, which changes the search path. The names in the queries must
  // be resolved as in windows, which use the original search path.
  const definitions = await definitionFacts(client, plan);
  await qualifyNames(client);
  const tables: (CapturedTable | null)[] = [];
  for (const { text } of plan.tables) tables.push(await readCapturedTable(client, text));
  const { facts, problem } = await adapterOf(plan).state(client, plan, tables);
  return {
    facts: {
      server: await serverIdentity(client),
      ...facts,
      ...definitions,
      ...Object.assign({}, ...plan.tables.map(({ text }, at) => tableFacts(text, tables[at]!))),
    } as Facts,
    problem,
  };
}

/**
 * Compares the connectors' configurations with the planned configurations. A difference is a
 * problem if it changes what a source connector captures. A difference in a tuning key, or in the
 * sink's configuration, is only a fact. A connector that is gone is also a problem.
 */
async function connectorFacts(deps: Deps, run: Planned): Promise<FactsRead> {
  const { plan } = run;
  const { connector } = plan.names;
  const rest = deps.systems.connect(plan);
  const facts: Record<string, string> = {};
  const drifted: string[] = [];
  const gone: string[] = [];
  for (const wanted of await sourceConnectorConfigs(deps, plan)) {
    const { name, connectorClass, unfit } = wanted;
    const stored = await storedConfig(rest, name);
    const keys = driftFrom(wanted, stored);
    const part = name === connector ? '' : name;
    facts[configFact(part)] = unfit ? shortDigest(stored) : describeDrift(keys, stored);
    facts[versionFact(part)] = await pluginVersion(rest, connectorClass);
    if (keys.includes(MISSING)) gone.push(name);
    const captures = keys.filter((key) => key !== MISSING && !isTuning(plan.spec.connector, key));
    if (captures.length > 0)
      drifted.push(
        unfit
          ? `adopted connector ${name} can no longer be compared: ${captures.join('; ')}`
          : `connector ${name} captures with a configuration that differs from the plan in ${withPlanned(captures, wanted.config).join(', ')}`,
      );
  }
  if (plan.sink) {
    const name = plan.sink.connector;
    const stored = await storedConfig(rest, name);
    const keys = driftOf(await sinkConfig(deps, run), stored);
    facts['sink config'] = describeDrift(keys, stored);
    facts['sink version'] = await pluginVersion(rest, stored?.['connector.class']);
    if (keys.includes(MISSING)) gone.push(name);
  }
  return { facts, problem: connectorProblem(gone, drifted, plan.capture.isAdopted) };
}

function connectorProblem(
  gone: readonly string[],
  drifted: readonly string[],
  isAdopted: boolean,
): CaptureProblem | null {
  const problem = (code: 'connector-gone' | 'connector-drift', detail: string): CaptureProblem => ({
    code,
    detail,
    remedy: isAdopted ? ADOPTED_REMEDIES[code] : FAILURES[code].remedy,
  });
  if (gone.length > 0) {
    return problem('connector-gone', `deleted from Kafka Connect: connector ${gone.join(', ')}`);
  }
  return drifted.length > 0 ? problem('connector-drift', drifted.join('; ')) : null;
}

/**
 * Identifies the jobs of a pipeline that Sluice deployed. A different identity means a different
 * deployment.
 */
async function pipelineFacts(plan: ResolvedPlan): Promise<Record<string, string>> {
  const host = hostOf(plan);
  const facts: Record<string, string> = {};
  if (host.names.length > 0) facts['pipeline host'] = await host.product();
  for (const name of host.names) {
    const state = await host.state(name);
    facts[`pipeline job ${name}`] = 'running' in state ? state.running : 'not running';
  }
  return facts;
}

/**
 * Describes how a stored configuration differs from the plan. The text contains a digest, so it
 * also changes if a key that already differs changes again.
 */
const describeDrift = (keys: readonly string[], stored: object | null): string =>
  keys.length === 0 ? 'as planned' : `differs in ${keys.join(', ')} (${shortDigest(stored)})`;
