// What evidence rests on, as comparable text: when one of these changes, what was proven before proves nothing now (a new epoch).
import { createHash } from 'node:crypto';
import { readTable } from '../../clients/catalog.js';
import { withSource, type SourceClient } from '../../clients/source.js';
import type { Facts } from '../../domain/epoch.js';
import type { MigrationRef } from '../../domain/ledger.js';
import { namesOf, quoteLiteral, sinkGroup, sourceConnectors } from '../../domain/names.js';
import { pollingOf } from '../../domain/polling.js';
import { driftOf } from '../connectors.js';
import type { Deps } from '../deps.js';
import { knownGroup } from '../groups.js';
import { hostOf, pipelineGroups } from '../pipelines/index.js';
import { sinkConfig } from '../sink.js';
import { serverIdentity } from '../source.js';
import { sourceConnectorConfigs } from '../source-connectors.js';
import { topicFacts } from './topic-facts.js';

const APPLICATION_NAME_LENGTH = 63; // the server cuts longer ones

/** Throws when a fact cannot be read: unknown is not unchanged. */
export async function readFacts(deps: Deps, ref: MigrationRef): Promise<Facts> {
  const { secret, systems } = deps;
  const names = namesOf(ref.spec, ref.generation);
  const source = await withSource(ref.spec, secret, async (client) => {
    const shapes: unknown[] = [];
    for (const table of ref.spec.spec.source.tables) {
      const catalog = await readTable(client, table);
      shapes.push(catalog && [catalog.columns, catalog.key, catalog.replicaIdentity]);
    }
    return {
      server: await serverIdentity(client),
      ...(pollingOf(ref.spec) ? await pollerFacts(client, ref) : await logReaderFacts(client, ref)),
      schema: digest(shapes),
    };
  });
  const rest = systems.connect(ref.spec);
  const kafka = systems.kafka(ref.spec);
  const facts: Record<string, string> = { ...source };
  for (const { name, config } of await sourceConnectorConfigs(deps, ref.spec, ref.generation)) {
    facts[name === names.connector ? 'connector config' : `connector config ${name}`] = describeDrift(driftOf(config, await rest.config(name)));
  }
  if (ref.spec.spec.sink) {
    facts['sink config'] = describeDrift(driftOf(await sinkConfig(deps, ref), await rest.config(names.sinkConnector)));
    facts['sink group'] = digest((await knownGroup(kafka, sinkGroup(ref.spec, ref.generation))).members);
  }
  for (const group of await pipelineGroups(ref)) {
    const { type, state, members } = await knownGroup(kafka, group);
    facts[`pipeline group ${group}`] = `${type} ${state} ${digest(members)}`;
  }
  Object.assign(facts, await pipelineFacts(ref));
  Object.assign(facts, await topicFacts(kafka, ref));
  return facts;
}

async function logReaderFacts(client: SourceClient, ref: MigrationRef): Promise<Facts> {
  const names = namesOf(ref.spec, ref.generation);
  const slot = await client.query<Record<string, string | null>>(`SELECT active_pid FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(names.slot)}`);
  const published = await client.query<Record<string, string>>(
    `SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = ${quoteLiteral(names.publication)} ORDER BY 1, 2`,
  );
  // The walsender that serves the slot: another one means that the connector's task restarted.
  return { 'connector task': `walsender ${slot.rows[0]?.['active_pid'] ?? 'none'}`, publication: digest(published.rows) };
}

/** A connector that polls keeps its connection, which carries its name: another backend means that its task restarted. */
async function pollerFacts(client: SourceClient, ref: MigrationRef): Promise<Facts> {
  const facts: Record<string, string> = {};
  for (const name of sourceConnectors(ref.spec, ref.generation)) {
    const { rows } = await client.query<Record<string, string>>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = ${quoteLiteral(name.slice(0, APPLICATION_NAME_LENGTH))} AND datname = current_database() ORDER BY pid`,
    );
    facts[`connector task ${name}`] = `backend ${rows.map((row) => row['pid']).join(' ') || 'none'}`;
  }
  return facts;
}

/** The parts that we deployed: another identity is another deployment. */
async function pipelineFacts(ref: MigrationRef): Promise<Record<string, string>> {
  const host = hostOf(ref.spec, ref.generation);
  const facts: Record<string, string> = {};
  for (const name of host?.names ?? []) {
    const state = await host!.state(name);
    facts[`pipeline job ${name}`] = 'running' in state ? state.running : 'not running';
  }
  return facts;
}

const describeDrift = (keys: readonly string[]): string => (keys.length === 0 ? 'as planned' : `differs in ${keys.join(', ')}`);
const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
