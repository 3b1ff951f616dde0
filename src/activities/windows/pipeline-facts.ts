// Reads the facts that evidence depends on, as text that can be compared. If one changes, a new
// epoch begins and earlier proof no longer counts.
import { createHash } from 'node:crypto';
import { qualifyNames, readCapturedTable } from '../../clients/postgres/captured-catalog.js';
import { withSource, type SourceClient } from '../../clients/postgres/connection.js';
import {
  tableFacts,
  type CaptureProblem,
  type CapturedTable,
} from '../../domain/capture/captured-set.js';
import type { Facts, FactValue } from '../../domain/evidence/epoch.js';
import { FAILURES } from '../../domain/failure.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { isTuning } from '../../connectors/allowlist.js';
import { MISSING, driftOf, storedConfig } from '../capture/connector-state.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import { knownGroup } from '../../clients/kafka/group-readers.js';
import { hostOf, pipelineGroups } from '../pipelines/index.js';
import { sinkConfig } from '../capture/current-sink.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { adapterOf } from '../capture/index.js';
import { sourceConnectorConfigs } from '../capture/source-connectors.js';
import { topicFacts } from './topic-facts.js';

export interface FactsRead {
  readonly facts: Facts;
  /**
   * The reason why comparing now proves nothing about what will be captured. Null if everything
   * compared is captured.
   */
  readonly problem: CaptureProblem | null;
}

/**
 * Reads all facts. Throws if one cannot be read, because an unknown fact does not count as
 * unchanged.
 */
export async function readFacts(deps: Deps, { ref, plan }: Planned): Promise<FactsRead> {
  const { secret, systems } = deps;
  const source = await withSource(plan, secret, (client) => sourceFacts(client, plan));
  const kafka = systems.kafka(plan);
  const connectors = await connectorFacts(deps, { ref, plan });
  const facts: Record<string, FactValue> = { ...source.facts, ...connectors.facts };
  if (plan.sink) facts['sink group'] = digest((await knownGroup(kafka, plan.sink.group)).members);
  for (const group of await pipelineGroups(plan)) {
    const { type, state, members } = await knownGroup(kafka, group);
    facts[`pipeline group ${group}`] = `${type} ${state} ${digest(members)}`;
  }
  Object.assign(facts, await pipelineFacts(plan));
  Object.assign(facts, await topicFacts(kafka, plan));
  return { facts, problem: source.problem ?? connectors.problem };
}

/** Reads the database's facts: the server's identity, what is captured, and what captures it. */
async function sourceFacts(client: SourceClient, plan: ResolvedPlan): Promise<FactsRead> {
  await qualifyNames(client);
  const tables: (CapturedTable | null)[] = [];
  for (const { text } of plan.tables) tables.push(await readCapturedTable(client, text));
  const { facts, problem } = await adapterOf(plan).state(client, plan, tables);
  return {
    facts: {
      server: await serverIdentity(client),
      ...facts,
      ...Object.assign({}, ...plan.tables.map(({ text }, at) => tableFacts(text, tables[at]!))),
    } as Facts,
    problem,
  };
}

/**
 * Compares the connectors' configurations with the planned ones. A source connector that captures
 * by other rules is a problem; a changed tuning key is only a fact.
 */
async function connectorFacts(deps: Deps, run: Planned): Promise<FactsRead> {
  const { plan } = run;
  const { connector } = plan.names;
  const rest = deps.systems.connect(plan);
  const facts: Record<string, string> = {};
  const drifted: string[] = [];
  const gone: string[] = [];
  for (const { name, config } of await sourceConnectorConfigs(deps, plan)) {
    const keys = driftOf(config, await storedConfig(rest, name));
    facts[name === connector ? 'connector config' : `connector config ${name}`] =
      describeDrift(keys);
    if (keys.includes(MISSING)) gone.push(name);
    const captures = keys.filter((key) => key !== MISSING && !isTuning(plan.spec.connector, key));
    if (captures.length > 0)
      drifted.push(
        `connector ${name} captures with a configuration that differs from the plan in ${captures.join(', ')}`,
      );
  }
  if (plan.sink) {
    const name = plan.sink.connector;
    const keys = driftOf(await sinkConfig(deps, run), await storedConfig(rest, name));
    facts['sink config'] = describeDrift(keys);
    if (keys.includes(MISSING)) gone.push(name);
  }
  return { facts, problem: connectorProblem(gone, drifted) };
}

function connectorProblem(
  gone: readonly string[],
  drifted: readonly string[],
): CaptureProblem | null {
  const problem = (code: CaptureProblem['code'], detail: string): CaptureProblem => ({
    code,
    detail,
    remedy: FAILURES[code].remedy,
  });
  if (gone.length > 0) {
    return problem('connector-gone', `deleted from Kafka Connect: connector ${gone.join(', ')}`);
  }
  return drifted.length > 0 ? problem('connector-drift', drifted.join('; ')) : null;
}

/**
 * Identifies the parts of the pipeline that Sluice deployed. A different identity means a different
 * deployment.
 */
async function pipelineFacts(plan: ResolvedPlan): Promise<Record<string, string>> {
  const host = hostOf(plan);
  const facts: Record<string, string> = {};
  for (const name of host.names) {
    const state = await host.state(name);
    facts[`pipeline job ${name}`] = 'running' in state ? state.running : 'not running';
  }
  return facts;
}

const describeDrift = (keys: readonly string[]): string =>
  keys.length === 0 ? 'as planned' : `differs in ${keys.join(', ')}`;
const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
